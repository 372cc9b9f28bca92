--- Fakes for the specs of the policy layer, which then need no sockets: one clock, a bank that is a
-- function, and the host of a plain script, whose callers are coroutines. The clock moves only when
-- a spec moves it.

local client = require "corebank.auth.client.client"
local core = require "corebank.auth.core"
local options = require "corebank.auth.options.read"
local requests = require "corebank.auth.client.requests"
local scheduler = require "corebank.auth.host.scheduler"

local fake = {}

--- An answer for `world`: the nth token is canary-token-n, valid for `validity` seconds.
function fake.steady(validity, takes)
  return function(n) return {token = "canary-token-" .. n, validity = validity, takes = takes} end
end

--- What token() gives to a caller that may have to wait.
function fake.ask(kept, world)
  local got
  world.call(function() got = {kept:token()} end)
  while not got do world.pass(0.05, 0.05) end
  return got[1], got[2], got[3]
end

--- As kept:request, by a caller that may yield: on Lua 5.1 not through the pcall of that.
function fake.request(kept, given)
  local call = assert(requests.new(kept, given))
  local reply, message, problem = call:run()
  call:close()
  return reply, message, problem
end

--- A client in a world of its own, or in `world`, and no jitter; its settings, too. `changes` are
--- more options.
function fake.keep(answer, changes, world)
  local given = {baseUrl = "https://bank.example", clientId = "id", clientSecret = "canary-secret",
    attempts = 1}
  for name, value in pairs(changes or {}) do given[name] = value end
  local settings = assert(options.read(given, true))
  world = world or fake.world(answer)
  world.random = function() return 0 end
  local kept = client.new(settings, world.system, world.host)
  return kept, world, settings
end

--- answer(n, now) -> what the nth POST gets: {token=, validity=} or {status=, retryAfter=} or
-- {failure=}; `takes` seconds until it is there. world.api(call, n) says the same of the nth
-- request to the API. As libcurl's do, a transfer looks at its time limit before it looks at what
-- has come.
function fake.world(answer)
  -- As a real transfer, one that nobody has any more is closed by the collector.
  local world = {now = 1000, skew = 1790000000, session = "a start", posts = {}, calls = {},
    open = setmetatable({}, {__mode = "k"}), running = {}, random = math.random}
  local system = {url = core.url}
  world.system = system
  function system.boot() return world.now end
  function system.wall() return world.now + world.skew end
  system.steady = system.boot
  function system.before(steady, wall) return system.steady() < steady and system.wall() < wall end
  function system.random() return world.random() end
  function system.session() return world.session end
  function system.pid() return 1 end

  -- What the bank, or the API, answers to a request.
  local function given_for(request)
    if not request.clientId then
      local call = {url = request.url, method = request.method, body = request.body, at = world.now,
        once = request.once, token = request.headers[1]:match "^Authorization: Bearer (.*)$"}
      table.insert(world.calls, call)
      return world.api(call, #world.calls)
    end
    assert(core.is_secret(request.clientSecret), "a transfer with a closed secret")
    table.insert(world.posts, world.now)
    return answer(#world.posts, world.now)
  end

  function system.transfer(_, request, seconds)
    local given = given_for(request)
    local sent, skew = world.now, world.skew
    local ready, deadline = sent + (given.takes or 0), sent + seconds
    local transfer, done = {}, false
    function transfer.step()
      if not done and world.now > deadline then given = {failure = "timeout"} end
      done = done or world.now >= ready or world.now > deadline
      return done
    end
    transfer.is_done = transfer.step
    function transfer.reply()
      if given.fault then error(given.fault, 0) end
      if not given.token then return nil end
      transfer.close()
      return given.token, sent, sent + skew, nil, nil, given.validity,
        given.status or 200
    end
    function transfer.status() return not given.failure and (given.status or 200) or nil end
    function transfer.result()
      return {status = transfer.status(), failure = given.failure,
        retryAfter = given.retryAfter, begun = false,
        sent = given.sent or given.failure and "maybe" or "yes"}
    end
    function transfer.headers() return given.headers or "" end
    function transfer.body() return given.body or "" end
    function transfer.excerpt()
      assert(core.is_secret(request.clientSecret), "an excerpt with a closed secret")
      return ""
    end
    function transfer.request_id() return given.requestId end
    function transfer.wait(_, patience)
      if patience > 0 then world.rest(patience) end
      return transfer.step()
    end
    world.open[transfer] = math.min(ready, deadline + 1e-6)
    function transfer.close() world.open[transfer] = nil end
    return transfer
  end

  -- Whoever waits outside of a task yields, and is resumed when time has passed. In a world that
  -- `waits` he lets the time pass himself.
  local function rest(seconds)
    if not world.waits then return coroutine.yield() end
    for _, ready in pairs(world.open) do
      if ready > world.now then seconds = math.min(seconds, ready - world.now) end
    end
    world.now = world.now + seconds
  end
  world.rest = rest

  local hosts = {}

  --- A host that is moved on whenever time passes, until it is stopped. `boot`: its clock.
  function world.new_host(boot)
    local host = scheduler.new{boot = boot or system.boot, pid = system.pid, sleep = rest}
    hosts[#hosts + 1] = host
    return host
  end
  world.host = world.new_host()

  --- Nobody moves a host's tasks on any more, but who calls its clients; and again.
  function world.stop(host)
    for i = #hosts, 1, -1 do
      if hosts[i] == host then table.remove(hosts, i) end
    end
  end
  function world.go_on(host) hosts[#hosts + 1] = host end

  --- Starts `job` as a caller of its own.
  function world.call(job)
    local thread = coroutine.create(job)
    assert(coroutine.resume(thread))
    if coroutine.status(thread) ~= "dead" then table.insert(world.running, thread) end
  end

  --- Lets what is due happen, now.
  function world.settle()
    for i = #hosts, 1, -1 do hosts[i].poll() end
    for i = #world.running, 1, -1 do   -- backwards, for a turn may add to the list
      local thread = world.running[i]
      assert(coroutine.resume(thread))
      if coroutine.status(thread) == "dead" then table.remove(world.running, i) end
    end
  end

  --- Time passes, in steps small enough for every flight and waiter to have its turn.
  function world.pass(seconds, step)
    local ends = world.now + seconds
    while world.now < ends do
      world.now = math.min(ends, world.now + (step or 0.25))
      world.settle()
    end
  end

  --- Time passes and nobody gets a turn: a process that is busy elsewhere, or stopped.
  function world.skip(seconds) world.now = world.now + seconds end

  return world
end

return fake
