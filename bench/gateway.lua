--- gateway.lua [--smoke]
--
-- Measures the gateway on a real nginx with two workers, side by side with the same nginx without
-- it, and judges the figures; script/bench prepares everything. Within a round the two take turns.
-- Figures and ratios are medians of the rounds.
--
--   (a) requests per second with inject(), over those with a fixed Authorization header
--   (b) the p99 of a neighbour while each worker waits for a bank that takes 2 s, over that without
--   (c) a cold request, from connecting to its answer, less the 50 ms that the bank takes

local gateway = require "spec.gateway"
local sandbox = require "spec.sandbox"
local socket = require "socket"

local smoke = arg[1] == "--smoke"
local ROUNDS = smoke and 1 or 25   -- of a second: many turns, for no machine is quiet for long
local NEIGHBOUR_ROUNDS = smoke and 1 or 9
local SECONDS = 1
local CONNECTIONS = 20      -- (a): the worker has always something to do
local FEW_CONNECTIONS = 4   -- (b): it has not, so that a request that waits waits for the worker
local BANK_TAKES = 0.05
local COLD_ROUNDS = smoke and 2 or 15

local bank = sandbox.bank()

-- What the gateway is in front of: an API over TLS, on connections that are kept, that says 1 KiB.
local HTTP = ([[
  init_by_lua_block { require "corebank.auth.nginx" }
  upstream bank { server 127.0.0.1:$spare; keepalive 64; }
  server {
    listen 127.0.0.1:$spare ssl;
    ssl_certificate %s;
    ssl_certificate_key %s;
    location / { return 200 "%s"; }
  }
]]):format(bank.files.serverCert, bank.files.serverKey, ("account "):rep(128))

local LOCATIONS = [[
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  location /injected/ {
    access_by_lua_block { require("corebank.auth.nginx").inject() }
    header_filter_by_lua_block { require("corebank.auth.nginx").observe() }
    proxy_pass https://bank;
  }
  location /empty/ {
    access_by_lua_block { return }
    header_filter_by_lua_block { return }
    proxy_pass https://bank;
  }
  location /fixed/ {
    proxy_pass https://bank;
    proxy_set_header Connection "";
    proxy_set_header Authorization "Bearer canary-token-0123456789-1234-1";
  }
  location /busy/ { content_by_lua_block {
    ngx.shared.seen:set("busy", ngx.var.arg_on == "1")
  } }
]]

-- Each worker asks a slow bank over and over, as long as the switch is on.
local ASK_SLOWLY = [[
  local slow = require("corebank.auth").client%s
  ngx.timer.at(0, function()
    while not ngx.worker.exiting() do
      if ngx.shared.seen:get("busy") then slow:forget() slow:token() else ngx.sleep(0.05) end
    end
  end)
]]

-- ---- figures -----------------------------------------------------------------------------------

local function median(values)
  local sorted = {}
  for i, value in ipairs(values) do sorted[i] = value end
  table.sort(sorted)
  local middle = #sorted / 2
  if #sorted % 2 == 1 then return sorted[math.ceil(middle)] end
  return (sorted[middle] + sorted[middle + 1]) / 2
end

local function show(what, values, form)
  local sorted = {}
  for i, value in ipairs(values) do sorted[i] = value end
  table.sort(sorted)
  print(("| %-58s | " .. form .. " (" .. form .. " to " .. form .. ") |"):format(what,
    median(values), sorted[1], sorted[#sorted]))
end

local verdicts, missed = {}, false

local function judge(what, value, bound, good)
  missed = missed or not good
  verdicts[#verdicts + 1] = ("| %-58s | %8.3f | %-16s | %-6s |"):format(what, value, bound,
    good and "ok" or "MISSED")
end

local function ratios(above, below)
  local list = {}
  for i = 1, #above do list[i] = above[i] / below[i] end
  return list
end

-- ---- (a) and (b) -------------------------------------------------------------------------------

local UNITS = {us = 1e-3, ms = 1, s = 1e3}

-- Requests per second, and the p99 in milliseconds.
local function load(gate, path, connections)
  local result = gate:load(SECONDS, connections, path).finish()
  assert(result.errors == 0, result.text)
  local number, unit = result.text:match "99%%%s+([%d.]+)(%a+)"
  return tonumber(result.text:match "Requests/sec:%s+([%d.]+)"), tonumber(number) * UNITS[unit]
end

local function measure_throughput(gate)
  local injected, empty, fixed = {}, {}, {}
  for i = 1, ROUNDS do
    injected[i] = load(gate, "/injected/", CONNECTIONS)
    empty[i] = load(gate, "/empty/", CONNECTIONS)
    fixed[i] = load(gate, "/fixed/", CONNECTIONS)
  end
  show("(a) requests a second, with inject()", injected, "%.0f")
  show("(a) requests a second, with handlers that do nothing", empty, "%.0f")
  show("(a) requests a second, with a fixed header", fixed, "%.0f")
  local ratio = median(ratios(injected, fixed))
  judge("(a) requests a second, inject() over a fixed header", ratio, "at least 0.95",
    ratio >= 0.95)
end

local function measure_neighbour(gate)
  local busy, quiet = {}, {}
  for i = 1, NEIGHBOUR_ROUNDS do
    gate:get("/busy/?on=1")
    socket.sleep(0.2)
    busy[i] = select(2, load(gate, "/plain/", FEW_CONNECTIONS))
    gate:get("/busy/?on=0")
    socket.sleep(smoke and 0.2 or 2)   -- until what is in the air has landed
    quiet[i] = select(2, load(gate, "/plain/", FEW_CONNECTIONS))
  end
  show("(b) p99 of a neighbour, ms, while the bank is asked", busy, "%.2f")
  show("(b) p99 of a neighbour, ms, while it is not", quiet, "%.2f")
  local ratio = median(ratios(busy, quiet))
  judge("(b) p99 of a neighbour, bank asked over not", ratio, "at most 1.20", ratio <= 1.2)
end

-- ---- (c) ---------------------------------------------------------------------------------------

-- In milliseconds. An old worker may still have taken the request, and have a token: then again.
local function time_cold_request(gate, scenario)
  local posts = scenario:posts()
  gate:reload()
  gate:get("/flush")
  local began = socket.gettime()
  local status = gate:get("/api/")
  local took = (socket.gettime() - began) * 1000
  assert(status == 200, status)
  if scenario:posts() == posts then return time_cold_request(gate, scenario) end
  return took
end

local function measure_cold()
  local scenario = bank:scenario{{delay = BANK_TAKES}}
  local gate = gateway.start{setup = {baseUrl = scenario.baseUrl},
    no_setup = true, before_inject = "$setup", http = HTTP,
    server = "location /flush { content_by_lua_block { ngx.shared.corebank:flush_all() } }"}
  local times = {}
  for i = 1, COLD_ROUNDS do times[i] = time_cold_request(gate, scenario) end
  gate:stop()
  show(("(c) a cold request, ms; the bank takes %d"):format(BANK_TAKES * 1000), times, "%.1f")
  local extra = median(times) - BANK_TAKES * 1000
  judge("(c) a cold request, ms on top of the bank's", extra, "at most 15", extra <= 15)
end

-- ---- everything --------------------------------------------------------------------------------

print(("gateway   rounds %d, %d and %d; median (least to most)\n"):format(ROUNDS, NEIGHBOUR_ROUNDS,
  COLD_ROUNDS))
local slow = gateway.options{baseUrl = bank:scenario{{delay = 2}}.baseUrl}
local gate = gateway.start{setup = {baseUrl = bank:scenario{}.baseUrl}, http = HTTP,
  server = LOCATIONS,
  init_worker = "$setup " .. ASK_SLOWLY:format(sandbox.literal(slow))}
sandbox.await("no token", function() return (gate:get("/ready")) == 200 end)
measure_throughput(gate)
measure_neighbour(gate)
gate:stop()
measure_cold()

if smoke then
  print "\nsmoke: everything ran; counts this small are not judged"
else
  print(("\n| %-58s | %8s | %-16s | %-6s |"):format("ratio", "figure", "target", ""))
  print "|---|---|---|---|"
  for _, line in ipairs(verdicts) do print(line) end
end
os.exit(smoke or not missed)
