--- A world without sockets for the policy layer: one clock, a bank that answers from a function,
-- and a host whose waiters are coroutines. Time moves only when it is told to.

local client = require "corebank.auth.client.client"
local core = require "corebank.auth.core"
local options = require "corebank.auth.options.read"
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

--- A client in a world of its own, or in `world`, and no jitter; its settings, too. `changes` are
--- more options.
function fake.keep(answer, changes, world)
  local given = {baseUrl = "https://bank.example", clientId = "id", clientSecret = "canary-secret",
    attempts = 1}
  for name, value in pairs(changes or {}) do given[name] = value end
  local settings = assert(options.read(given, true))
  world = world or fake.world(answer)
  world.random = function() return 0 end
  local kept = client.new(settings, world.system, world.host,
    function() options.release(settings) end)
  return kept, world, settings
end

--- answer(n, now) -> what the nth POST gets: {token=, validity=} or {status=, retryAfter=} or
-- {failure=}; `takes` seconds until it is there. As libcurl's do, a transfer looks at its time
-- limit before it looks at what has come.
function fake.world(answer)
  local world = {now = 1000, skew = 1790000000, session = "a start",
    posts = {}, open = {}, running = {}, random = math.random}
  local system = {url = core.url}
  world.system = system
  function system.boot() return world.now end
  function system.wall() return world.now + world.skew end
  system.steady = system.boot
  function system.before(steady, wall) return system.steady() < steady and system.wall() < wall end
  function system.random() return world.random() end
  function system.session() return world.session end
  function system.pid() return 1 end

  function system.transfer(_, request, seconds)
    assert(core.is_secret(request.clientSecret), "a transfer with a closed secret")
    local n = #world.posts + 1
    local given = answer(n, world.now)
    world.posts[n] = world.now
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
      return given.token, sent, sent + skew, nil, nil, given.validity
    end
    function transfer.result()
      return {status = given.status, failure = given.failure, retryAfter = given.retryAfter,
        begun = false}
    end
    function transfer.excerpt()
      assert(core.is_secret(request.clientSecret), "an excerpt with a closed secret")
      return ""
    end
    function transfer.request_id() return given.requestId end
    function transfer.wait(_, patience)
      world.wait_for_a_transfer(patience)
      return transfer.step()
    end
    world.open[transfer] = math.min(ready, deadline + 1e-6)
    function transfer.close() world.open[transfer] = nil end
    return transfer
  end

  -- The host: whoever waits yields, and is resumed when time has passed.
  local flights = {}
  world.host = {
    patience = 2,
    launch = function(flight) flights[#flights + 1] = flight end,
    threads = coroutine,
    callers_threads = coroutine,
    await = function(flight, seconds)
      local ends = world.now + (seconds or math.huge)
      while not flight.done and world.now < ends do coroutine.yield() end
    end,
  }

  world.host.await_flight = world.host.await

  -- The host of tasks: a plain script's, with this clock. Whoever waits outside of a task lets time
  -- pass if the world `waits`; else that is a mistake.
  local function let_pass(seconds)
    assert(world.waits, "this waits outside of a task")
    world.now = world.now + seconds
  end
  for name, value in pairs(scheduler.new{boot = system.boot, pid = system.pid,
    sleep = let_pass}) do
    world.host[name] = value
  end
  local await = world.host.await   -- until clients use tasks
  function world.host.await(wanted, seconds)
    if wanted.advance then return world.host.await_flight(wanted, seconds) end
    return await(wanted, seconds)
  end
  function world.wait_for_a_transfer(seconds)
    for _, ready in pairs(world.open) do
      if ready > world.now then seconds = math.min(seconds, ready - world.now) end
    end
    if seconds > 0 then let_pass(seconds) end
  end

  --- Starts `job` as a caller of its own.
  function world.call(job)
    local thread = coroutine.create(job)
    assert(coroutine.resume(thread))
    if coroutine.status(thread) ~= "dead" then table.insert(world.running, thread) end
  end

  -- Backwards, for `turn` may add to the list, and in order, so that a seed means one history.
  local function each_turn(list, turn)
    for i = #list, 1, -1 do
      if not turn(list[i]) then table.remove(list, i) end
    end
  end

  --- Lets what is due happen, now.
  function world.settle()
    world.host.poll()
    each_turn(flights, function(flight)
      flight:advance()
      return not flight.done
    end)
    each_turn(world.running, function(thread)
      assert(coroutine.resume(thread))
      return coroutine.status(thread) ~= "dead"
    end)
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
