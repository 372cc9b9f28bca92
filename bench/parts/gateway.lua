--- The gateway on a real nginx with two workers, side by side with the same nginx without it.
-- Within a round the two take turns. Figures and ratios are medians of the rounds.
--
--   throughput  requests a second with inject(), over those with a fixed Authorization header
--   neighbour   its p99 while each worker waits for a bank that takes 2 s, over that without
--   cold        a request, from connecting to its answer, less the 50 ms that the bank takes

local figures = require "bench.harness.figures"
local gateway = require "spec.support.gateway"
local report = require "bench.harness.report"
local sandbox = require "spec.sandbox"
local socket = require "socket"

local CONNECTIONS = 20      -- throughput: the worker has always something to do
local FEW_CONNECTIONS = 4   -- neighbour: it has not, so that who waits waits for the worker
local BANK_TAKES = 0.05

local bank = sandbox.bank()
local sizes, rows

-- What the gateway is in front of: an API over TLS, on connections that are kept, that says 1 KiB.
local HTTP = ([[
  init_by_lua_block { require "corebank.auth.nginx" }
  upstream bank { server 127.0.0.1:$spare; keepalive 64; }
  server {
    listen 127.0.0.1:$spare ssl;
    ssl_certificate %s;
    ssl_certificate_key %s;
    location / {
      if ($http_authorization = "") { return 401; }
      return 200 "%s";
    }
  }
]]):format(bank.files.serverCert, bank.files.serverKey, ("account "):rep(128))

local LOCATIONS = [[
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  location /injected/ {
    set $bank_token "";
    rewrite_by_lua_block { require("corebank.auth.nginx").inject() }
    proxy_set_header Authorization $bank_token;
    proxy_set_header Connection "";
    proxy_pass https://bank;
  }
  location /observed/ {
    set $bank_token "";
    rewrite_by_lua_block { require("corebank.auth.nginx").inject() }
    header_filter_by_lua_block { require("corebank.auth.nginx").observe() }
    proxy_set_header Authorization $bank_token;
    proxy_set_header Connection "";
    proxy_pass https://bank;
  }
  location /empty/ {
    rewrite_by_lua_block { return }
    proxy_pass https://bank;
    proxy_set_header Connection "";
    proxy_set_header Authorization "Bearer canary-token-0123456789-1234-1";
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

local function show(what, values, form)
  rows[#rows + 1] = {what, figures.with_spread(values, form)}
end

-- ---- throughput and a neighbour ----------------------------------------------------------------

local UNITS = {us = 1e-3, ms = 1, s = 1e3}

-- Requests per second, and the p99 in milliseconds.
local function load(gate, path, connections)
  local result = gate:load(sizes.load_seconds, connections, path).finish()
  assert(result.errors == 0, result.text)
  local number, unit = result.text:match "99%%%s+([%d.]+)(%a+)"
  return tonumber(result.text:match "Requests/sec:%s+([%d.]+)"), tonumber(number) * UNITS[unit]
end

local INJECT = {path = "/injected/", what = "inject()"}
local BOTH = {path = "/observed/", what = "inject() and observe()"}
local EMPTY = {path = "/empty/", what = "a rewrite handler that does nothing"}
local FIXED = {path = "/fixed/", what = "a fixed header"}

-- The ratios of the rounds, each way's requests a second over those with a fixed header; `beside`
-- says in whose company.
local function over_fixed(gate, ways, rounds, beside)
  local rates, ratios = {}, {}
  for _, way in ipairs(ways) do rates[way] = {} end
  for i = 1, rounds do
    for _, way in ipairs(ways) do rates[way][i] = load(gate, way.path, CONNECTIONS) end
  end
  for _, way in ipairs(ways) do
    show(("Requests a second, with %s%s"):format(way.what, beside), rates[way], "%.0f")
    ratios[way] = figures.ratios(rates[way], rates[FIXED])
  end
  return ratios
end

local function measure_throughput(gate)
  local ratios = over_fixed(gate, {INJECT, FIXED}, sizes.load_rounds, "")
  report.judge("Gateway, requests a second: inject() over a fixed header", ratios[INJECT], nil,
    0.92)
  ratios = over_fixed(gate, {BOTH, EMPTY, FIXED}, sizes.more_load_rounds, ", three in turn")
  for _, way in ipairs{BOTH, EMPTY} do
    show(("Requests a second, %s over a fixed header"):format(way.what), ratios[way], "%.3f")
  end
end

-- The p99 in milliseconds, while the bank is asked, or after all fetches have ended.
local function p99(gate, slow, asked)
  local quiet = slow:posts()
  gate:get("/busy/?on=" .. (asked and 1 or 0))
  socket.sleep(asked and 0.2 or sizes.landing)
  if not asked then quiet = slow:posts() end
  local _, time = load(gate, "/plain/", FEW_CONNECTIONS)
  assert((slow:posts() > quiet) == asked, "the bank was asked in the wrong moment, or not at all")
  return time
end

local function measure_neighbour(gate, slow)
  local busy, quiet = {}, {}
  for i = 1, sizes.neighbour_rounds do
    local first, second = busy, quiet
    if i % 2 == 0 then first, second = quiet, busy end
    first[i] = p99(gate, slow, first == busy)
    second[i] = p99(gate, slow, second == busy)
  end
  show("p99 of a neighbour, ms, while the bank is asked", busy, "%.2f")
  show("p99 of a neighbour, ms, while it is not", quiet, "%.2f")
  report.judge("Gateway, p99 of a neighbour: bank asked over not", figures.ratios(busy, quiet), 1.2)
end

-- ---- cold --------------------------------------------------------------------------------------

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
  for i = 1, sizes.cold_requests do times[i] = time_cold_request(gate, scenario) end
  gate:stop()
  show(("A cold request, ms; the bank takes %d"):format(BANK_TAKES * 1000), times, "%.1f")
  local extra = {}
  for i, time in ipairs(times) do extra[i] = time - BANK_TAKES * 1000 end
  report.judge("Gateway, a cold request: ms on top of the bank's", extra, 15)
end

-- ---- everything --------------------------------------------------------------------------------

return function(run)
  sizes, rows = run.sizes, {}
  report.heading "The gateway on nginx"
  report.say(("nginx has two workers, and proxies to an API over TLS. %d rounds compare two ways, "
    .. "and %d compare three. There are %d rounds for the neighbour, and %d cold requests.\n")
    :format(sizes.load_rounds, sizes.more_load_rounds, sizes.neighbour_rounds,
      sizes.cold_requests))
  local slow = bank:scenario{{delay = 2}}
  local gate = gateway.start{setup = {baseUrl = bank:scenario{}.baseUrl}, http = HTTP,
    server = LOCATIONS,
    init_worker = "$setup " .. ASK_SLOWLY:format(
      sandbox.literal(gateway.options{baseUrl = slow.baseUrl}))}
  gate:await_ready()
  measure_throughput(gate)
  measure_neighbour(gate, slow)
  gate:stop()
  measure_cold()
  report.table({"what", "median (least to most)"}, rows)
end
