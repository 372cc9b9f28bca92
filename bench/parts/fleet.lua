--- A fleet with one token through a real Redis: processes and nginx, each a host of its own with a
-- store before Redis. A process is killed and started again each second.

local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local lfs = require "lfs"
local redis = require "spec.support.redis"
local report = require "bench.harness.report"
local sandbox = require "spec.sandbox"
local socket = require "socket"

local VALIDITY = 6              -- seconds of a token
local PERIOD = 0.8 * VALIDITY   -- after which it is refreshed

local quoted = files.quoted

-- Starts the nth process, which writes its process id into a file of its folder.
local function start_process(fleet, n)
  local dir = ("%s/%d"):format(fleet.dir, n)
  os.execute("mkdir -p -m 700 " .. quoted(dir))
  local command = ("cd %s; echo $$ >%s/pid; LUA_PATH=%s LUA_CPATH=%s COREBANK_BASE_URL=%s "
    .. "exec lua5.4 bench/modes/fleet.lua %s %s/store %d >>%s/failed 2>&1"):format(
    quoted(lfs.currentdir()), quoted(dir),
    quoted(os.getenv "LUA_PATH" .. ";" .. redis.PATH),
    quoted(fleet.out .. "/../lua5.4-bench/?.so;;"), quoted(fleet.bank.baseUrl), fleet.server.url,
    quoted(dir), math.ceil(fleet.ends - socket.gettime()), quoted(dir))
  os.execute(("sh -c %s &"):format(quoted(command)))
end

local function kill_process(fleet, n)
  local pid = tonumber(files.content(("%s/%d/pid"):format(fleet.dir, n)))
  os.execute(("kill -KILL %d 2>/dev/null"):format(pid))
end

local function start_gateway(fleet)
  return gateway.start{setup = {baseUrl = fleet.bank.baseUrl}, workers = 2, init_worker = ([[
    local options, store = $options, require("corebank.auth").store
    options.store = store.layered(store.shdict "corebank", store.redis{url = "%s"})
    require("corebank.auth.nginx").setup(options)
  ]]):format(fleet.server.url)}
end

-- Lets the fleet work to its end. Returns how many requests through a gateway failed.
local function work(fleet, processes)
  local failed, requests, kill_at = 0, 0, socket.gettime() + 1
  while socket.gettime() < fleet.ends do
    for _, gate in ipairs(fleet.gates) do
      requests = requests + 1
      if gate:get "/api/" ~= 200 then failed = failed + 1 end
    end
    if socket.gettime() >= kill_at then
      local n = 1 + fleet.kills % processes
      kill_process(fleet, n)
      start_process(fleet, n)
      fleet.kills, kill_at = fleet.kills + 1, kill_at + 1
    end
    socket.sleep(0.05)
  end
  return failed, requests
end

return function(run)
  local sizes = run.sizes.fleet
  report.heading "A fleet: one token through Redis"
  report.say(("%d processes and %d nginx with 2 workers each, %d lifetimes of %d s. Each second a "
    .. "process is killed and started again.\n"):format(sizes.processes, sizes.gateways,
      sizes.lifetimes, VALIDITY))
  local fleet = {out = run.out, dir = files.new_folder(), server = redis.start(), gates = {},
    bank = sandbox.bank():scenario{{validity = VALIDITY}}, kills = 0,
    ends = socket.gettime() + sizes.lifetimes * PERIOD}
  for n = 1, sizes.processes do start_process(fleet, n) end
  for n = 1, sizes.gateways do
    fleet.gates[n] = start_gateway(fleet)
    fleet.gates[n]:await_ready()
  end
  local failed, requests = work(fleet, sizes.processes)
  local posts = fleet.bank:posts()
  local calls = tonumber(fleet.server:cli "info commandstats":match "cmdstat_eval:calls=(%d+)")
  local lost = tonumber(files.output_of(("cat %s/*/failed | wc -l"):format(quoted(fleet.dir))))
  -- A process that was started again is one more host: it starts with no token of its own.
  local lifetimes_of_hosts = (sizes.processes + sizes.gateways) * sizes.lifetimes + fleet.kills
  report.table({"what", ""}, {
    {"POSTs, of all hosts, in a lifetime", ("%.2f"):format(posts / sizes.lifetimes)},
    {"requests through the gateways that failed", ("%d of %d"):format(failed, requests)},
    {"times that a process got no token", ("%d"):format(lost)},
    {"processes killed", ("%d"):format(fleet.kills)},
    {"operations of Redis for each host and lifetime",
      ("%.1f"):format(calls / lifetimes_of_hosts)},
  })
  report.judge("A fleet, failed requests and calls", {failed + lost}, 0)
  report.judge("A fleet, POSTs in a lifetime", {posts / sizes.lifetimes}, 2)
  report.judge("A fleet, operations of Redis for each host and lifetime",
    {calls / lifetimes_of_hosts}, 4)
  gateway.stop_all()
  redis.stop_all()
  os.execute("rm -rf " .. quoted(fleet.dir))
end
