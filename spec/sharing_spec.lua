-- Clients that share a store, in a world without sockets: one token, one turn, one failure for all.

local client = require "corebank.auth.client.client"
local core = require "corebank.auth.core"
local fake = require "spec.support.fake"
local memory = require "corebank.auth.store.memory"
local options = require "corebank.auth.options.options"
local secret = require "corebank.auth.options.secret"
local survive = require "spec.support.survive"

local ask, steady = fake.ask, fake.steady

-- A world with one store, and a maker of clients in it, each in a process of its own unless
-- `world.pid` says in which; `events` collects what they tell.
local function sharing(answer, changes)
  local world = fake.world(answer)
  world.random = function() return 0 end
  world.store = memory.new(world.system.boot)
  world.events = {}
  local pids = 0
  function world.process(other)
    pids = pids + 1
    local own = pids
    local given = {baseUrl = "https://bank.example", clientId = "id", attempts = 1,
      clientSecret = "canary-secret", store = world.store,
      onEvent = function(event) world.events[#world.events + 1] = event end}
    for _, more in ipairs{changes or {}, other or {}} do
      for name, value in pairs(more) do given[name] = value end
    end
    local settings = assert(options.read(given, true))
    local system = setmetatable({}, {__index = world.system})
    function system.pid() return world.pid or own end
    return client.new(settings, system, world.host, function() options.release(settings) end)
  end
  return world
end

local function count(world, name)
  local n = 0
  for _, event in ipairs(world.events) do
    if event.name == name then n = n + 1 end
  end
  return n
end

describe("a handler that hears of a store's failure while a flight runs", function()
  local function failing(act)
    local kept
    local world = sharing(steady(100, 0.5), {onEvent = function(event)
      if event.name == "store_failed" and act then
        local once = act
        act = nil
        once(kept)
      end
    end})
    world.store.get = function() return nil, "broken" end
    kept = world.process()
    return kept, world
  end

  it("may close the client: nothing is sent, and whoever waits is told", function()
    local kept, world = failing(function(bank) bank:close() end)
    local token, _, problem = ask(kept, world)
    assert.is_nil(token)
    assert.equal("closed", problem.code)
    assert.equal(0, #world.posts)
    assert.is_nil(next(world.open))
  end)

  it("may have all forgotten: the token is asked for anew, once", function()
    local kept, world = failing(function(bank) bank:forget() end)
    assert.is_truthy((ask(kept, world)))
    world.pass(5)
    assert.is_nil(next(world.open))
    assert.is_false(kept:is_fetching())
  end)

  it("may raise after that: whoever waits hears of it", function()
    local kept = failing(function(bank)
      bank:forget()
      error("mine", 0)
    end)
    local ok, fault = pcall(kept.token, kept)
    assert.is_false(ok)
    assert.equal("mine", fault)
  end)

  it("may close the client when a refresh is given up: whoever asks is told", function()
    local kept
    local world = sharing(steady(100, 0.1), {onEvent = function(event)
      if event.name == "store_failed" then kept:close() end
    end})
    kept = world.process()
    ask(kept, world)
    world.skip(80)
    kept:token()
    world.store.release = function() return nil, "broken" end
    world.skip(20)
    local token, _, problem = kept:token()
    assert.is_nil(token)
    assert.equal("closed", problem.code)
  end)

  it("may close the client when its token is to be put there: the lease is given back", function()
    local kept, others
    local world = sharing(steady(100, 0.5), {onEvent = function(event)
      if event.name == "store_failed" then kept:close() end
    end})
    rawset(world.store, "get", function()
      if #world.posts > 0 and world.now > 1000.4 then return nil, "broken" end
    end)
    kept, others = world.process(), world.process()
    ask(kept, world)
    assert.equal(1, #world.posts)
    world.store.get = nil
    local began = world.now
    assert.is_truthy((ask(others, world)))
    assert.is_true(world.now - began < 2, world.now - began)
  end)

  it("may raise when its token is to be put there: the lease is given back", function()
    local world = sharing(steady(100, 0.5), {onEvent = function(event)
      if event.name == "store_failed" then error("mine", 0) end
    end})
    local put = world.store.put
    rawset(world.store, "put", function() return nil, "broken" end)
    assert.has_error(function() ask(world.process(), world) end, "mine")
    world.store.put = put
    local began = world.now
    assert.is_truthy((ask(world.process(), world)))
    assert.is_true(world.now - began < 2, world.now - began)
  end)

  for _, act in ipairs{"close", "invalidate", "forget"} do
    it("may raise when a refresh is given up: " .. act .. " has done its part", function()
      local world = sharing(steady(100, 0.1), {onEvent = function(event)
        if event.name == "store_failed" then error("mine", 0) end
      end})
      local kept = world.process()
      local token = ask(kept, world)
      world.skip(80)
      kept:token()
      assert.is_true(kept:is_fetching())
      local released = false
      kept.release = function() released = true end
      rawset(world.store, "release", function() return nil, "broken" end)
      assert.has_error(function() kept[act](kept, token) end, "mine")
      assert.is_nil(kept:peek())
      assert.is_false(kept:is_fetching())
      assert.is_nil(next(world.open))
      assert.equal(act == "close", released)
      if act ~= "close" then assert.is_nil(world.process():look()) end   -- nor has the store it
    end)
  end

  it("may close the client while it looks, or forgets: no token, and no error", function()
    for _, act in ipairs{"look", "forget"} do
      for nth = 1, 2 do
        local world, kept = sharing(steady(100, 0.1))
        ask(world.process(), world)
        kept = world.process{onEvent = function(event)
          if event.name == "store_failed" then kept:close() end
        end}
        local calls = 0
        for _, operation in ipairs{"get", "delete"} do
          local whole = world.store[operation]
          rawset(world.store, operation, function(...)
            calls = calls + 1
            if calls == nth then return nil, "broken" end
            return whole(...)
          end)
        end
        kept[act](kept)
        assert.is_true(kept.isClosed)
        assert.is_nil(kept:peek())
        assert.equal("closed", kept:explain().state)
      end
    end
  end)

  it("may raise when more time is asked for: that refresh ends, and the next one begins", function()
    local broken = false
    local world = sharing(steady(100, 7), {onEvent = function(event)
      if event.name == "store_failed" then error("mine", 0) end
    end})
    local lease = world.store.lease
    rawset(world.store, "lease", function(...)
      if broken then return nil, "broken" end
      return lease(...)
    end)
    world.host.launch = function(flight) world.own = flight end
    local kept = world.process()
    world.call(function() kept:token() end)
    world.skip(7.1)
    world.own:advance()
    world.skip(75)
    kept:token()
    broken = true
    world.skip(1.5)
    kept:token()
    world.skip(1.5)
    assert.has_error(function() kept:token() end, "mine")
    assert.is_false(kept:is_fetching())
    assert.is_nil(next(world.open))
    broken = false
    world.skip(1)
    assert.is_truthy(kept:token())
    assert.is_true(kept:is_fetching())
  end)

  it("may take its time: the bank is asked once all the same", function()
    local kept, world = failing()
    world.store.get = function()
      world.skip(1.1)
      return nil, "broken"
    end
    world.store.lease = world.store.get
    assert.is_truthy((ask(kept, world)))
    assert.equal(1, #world.posts)
  end)
end)

describe("clients with one store", function()
  it("fetch once: the next takes the token from the store, with all its fields", function()
    local world = sharing(steady(100, 2))
    local first = ask(world.process(), world)
    world.skip(10)
    local second = world.process()
    local token = ask(second, world)
    assert.equal(1, #world.posts)
    assert.equal(first.accessToken, token.accessToken)
    assert.equal(first.tokenValiditySec, token.tokenValiditySec)
    assert.equal("Bearer", token.tokenType)
    assert.is_true(math.abs(first:remaining() - token:remaining()) < 0.01)
    assert.is_true(math.abs(first:expiresAt() - token:expiresAt()) < 0.01)
    assert.equal("store", second:explain().source)
    assert.equal("memory", second:explain().store)
    assert.equal(1, count(world, "found"))
    survive.no_canary{second, second:explain(), world.events}
  end)

  it("refresh by the first life of the token, not by what is left of it", function()
    local world = sharing(steady(1000))
    ask(world.process(), world)
    world.skip(700)
    local second = world.process()
    ask(second, world)
    assert.is_true(math.abs(second:explain().refreshIn - 100) < 1)
  end)

  it("20 of them, cold: 1 POST, and all have the token", function()
    local world = sharing(steady(100, 2))
    local got = {}
    for i = 1, 20 do
      local kept = world.process()
      world.call(function() got[i] = kept:token() end)
    end
    world.pass(3, 0.05)
    assert.equal(1, #world.posts)
    for i = 1, 20 do assert.equal("canary-token-1", got[i].accessToken) end
  end)

  it("20 of them, cold, and the bank is down: 1 POST, and all have the problem", function()
    local world = sharing(function() return {failure = "connect", takes = 2} end)
    local codes = {}
    for i = 1, 20 do
      local kept = world.process()
      world.call(function() codes[i] = select(3, kept:token()).code end)
    end
    world.pass(3, 0.05)
    assert.equal(1, #world.posts)
    for i = 1, 20 do assert.equal("connect", codes[i]) end
  end)

  it("share a denial: the next process is told without a POST, for 5 s, then 10", function()
    local world = sharing(function() return {status = 401} end)
    local gaps = {}
    for _ = 1, 400 do
      local _, _, problem = ask(world.process(), world)
      assert.equal("denied", problem.code)
      world.skip(0.25)
    end
    for i = 2, 5 do gaps[i - 1] = math.floor(world.posts[i] - world.posts[i - 1] + 0.25) end
    assert.same({5, 10, 20, 40}, gaps)
  end)

  it("share a Retry-After", function()
    local world = sharing(function() return {status = 503, retryAfter = 30} end)
    ask(world.process(), world)
    world.skip(20)
    local _, _, problem = ask(world.process(), world)
    assert.is_true(problem.remembered)
    assert.is_true(problem.retryAfter > 8 and problem.retryAfter <= 10)
    assert.equal(1, #world.posts)
  end)

  it("in a loop of short lives start no two requests within a second", function()
    local world = sharing(function() return {failure = "connect"} end)
    for _ = 1, 100 do
      ask(world.process(), world)
      world.skip(0.01)
    end
    for i = 2, #world.posts do
      assert.is_true(world.posts[i] - world.posts[i - 1] >= 1 - 1e-3)
    end
  end)

  it("leave a refresh to the one that is at it", function()
    local world = sharing(steady(100, 2))
    local all = {}
    for i = 1, 5 do
      all[i] = world.process()
      ask(all[i], world)
    end
    world.skip(85)
    for _ = 1, 40 do
      for _, kept in ipairs(all) do assert.is_truthy(kept:token()) end
      world.pass(0.25, 0.05)
    end
    assert.equal(2, #world.posts)
    for _, kept in ipairs(all) do assert.equal("canary-token-2", kept:peek().accessToken) end
  end)

  it("that leave a refresh to another look for it four times a second, and no more often",
    function()
      local world = sharing(steady(100, 2))
      local first, second = world.process(), world.process()
      ask(first, world)
      ask(second, world)
      world.skip(85)
      first:token()   -- takes the lease
      local tries, lease = 0, world.store.lease
      rawset(world.store, "lease", function(...)
        tries = tries + 1
        return lease(...)
      end)
      for _ = 1, 100 do
        assert.is_truthy(second:token())
        world.skip(0.01)
      end
      assert.is_true(tries >= 3 and tries <= 5, tries)
    end)

  -- The first has begun a refresh behind its caller's back, as a plain script does: nobody moves it
  -- on between two calls. The second has no token any more.
  local function refreshing(takes)
    local world = sharing(steady(1000, takes))
    local first, second = world.process(), world.process()
    ask(first, world)
    local token = ask(second, world)
    world.skip(850)
    local launch = world.host.launch
    world.host.launch = function() end
    first:token()
    world.host.launch = launch
    assert.is_true(first:is_fetching())
    second:invalidate(token)
    return world, first, second
  end

  local function begin_to_ask(kept, world)
    local asked = {began = world.now}
    world.call(function()
      asked.token = kept:token()
      asked.took = world.now - asked.began
    end)
    return asked
  end

  it("wait no longer for one that is heard of no more than it may be left alone", function()
    local world, _, second = refreshing(0.1)
    local asked = begin_to_ask(second, world)
    world.pass(4.5, 0.05)
    assert.equal("canary-token-3", asked.token.accessToken)
    assert.is_true(asked.took >= 3.9, asked.took)
  end)

  it("leave the turn to one that is asked again in time, however long its bank takes", function()
    local world, first, second = refreshing(8)
    local asked = begin_to_ask(second, world)
    for _ = 1, 5 do
      world.pass(1.8, 0.05)
      first:token()
    end
    world.pass(0.2, 0.05)
    assert.equal("canary-token-2", asked.token.accessToken)
    assert.equal(2, #world.posts)
  end)

  it("leave it to one that is moved on by another, waited for or not", function()
    local world, first, second = refreshing(8)
    local asked = begin_to_ask(second, world)
    for _ = 1, 90 do
      world.pass(0.1, 0.05)
      if first:is_fetching() then first.flight:advance() end   -- as a host does for all it has
    end
    assert.equal("canary-token-2", asked.token.accessToken)
    assert.equal(2, #world.posts)
  end)

  it("wait for nobody beyond the end of a call, however often it is asked for", function()
    local world = sharing(function(n)
      return {token = "canary-token-" .. n, validity = 1000, takes = n == 2 and 100 or 0.1}
    end)
    world.host.patience = nil   -- as in nginx
    local first, second = world.process(), world.process()
    ask(first, world)
    local token = ask(second, world)
    world.skip(850)
    first:token()
    local began, gone = world.now, first.flight
    second:invalidate(token)
    for _ = 1, 95 do
      world.skip(0.1)
      first:token()
    end
    gone.wanted.step = function() return false end
    gone.advance = function() end   -- killed: nobody drives it any more
    repeat until ask(second, world)
    assert.is_true(world.now - began < 12.5, world.now - began)
  end)

  it("put no failure of their own there when their turn is over: another one asks", function()
    local world = sharing(function(n)
      return {token = "canary-token-" .. n, validity = 1000, takes = n == 1 and 60 or 5}
    end)
    local first, second, third = world.process(), world.process(), world.process()
    world.call(function() first:token() end)
    local stopped = first.flight
    stopped.advance = function() end
    world.skip(13)
    local got
    world.call(function() second:token() end)
    world.pass(0.5, 0.05)
    world.call(function() got = {third:token()} end)
    world.pass(0.5, 0.05)
    stopped.advance = nil
    world.pass(6, 0.05)
    assert.equal("canary-token-2", got[1] and got[1].accessToken, got[2])
  end)

  it("leave it to one that is waited for, however it began", function()
    for _, wait in ipairs{function(kept) kept:settle() end, function(kept, world)
      client.token_and_refresh(kept, world.host.await)
    end} do
      local world, first, second = refreshing(8)
      world.call(function() wait(first, world) end)
      local asked = begin_to_ask(second, world)
      world.pass(8.2, 0.05)
      assert.is_nil(asked.token)   -- nobody has moved the first one on
      first.flight:advance()
      world.pass(0.2, 0.05)
      assert.equal("canary-token-2", asked.token.accessToken)
      assert.equal(2, #world.posts)
    end
  end)

  it("do not wait for the one that is at it while they have a token", function()
    local world = sharing(steady(100, 2))
    local first, second = world.process(), world.process()
    ask(first, world)
    ask(second, world)
    world.skip(85)
    first:token()
    second:token()
    assert.is_false(second:is_fetching())
  end)

  it("share the failure of a refresh: they do not try in turn", function()
    local world = sharing(function(n)
      return n == 1 and {token = "canary-token-1", validity = 1000} or {failure = "connect"}
    end)
    world.random = function() return 1 end
    local all = {}
    for i = 1, 10 do
      all[i] = world.process()
      ask(all[i], world)
    end
    world.skip(850)
    local began = world.now
    while world.now < began + 31.5 do
      for _, kept in ipairs(all) do assert.equal("canary-token-1", kept:token().accessToken) end
      world.skip(0.25)
    end
    assert.equal(1 + 6, #world.posts)   -- after 0, 1, 2, 4, 8 and 16 s more
  end)

  for what, name in pairs{["the same token"] = "", ["another token, but no later end"] = "-%d"} do
    it("are told by one of them that the bank gives " .. what, function()
      local world = sharing(function(n, now)
        return {token = "canary-token" .. name:format(n), validity = 2000 - now}
      end)
      local all = {}
      for i = 1, 5 do
        all[i] = world.process()
        ask(all[i], world)
      end
      assert.equal(1, #world.posts)
      world.skip(850)
      for _ = 1, 139 do   -- until 11 s are left; the leeway is 10
        for _, kept in ipairs(all) do assert.is_truthy(kept:token()) end
        world.skip(1)
      end
      assert.equal(2, #world.posts)
      for _, kept in ipairs(all) do
        assert.equal("canary-token" .. name:format(2), kept:peek().accessToken)
        assert.is_true(kept:explain().state == "fresh")
      end
    end)
  end

  it("refresh by what the bank says when it is time, not by what it said long before", function()
    local world = sharing(function(n, now)
      if now < 1800 then return {token = "canary-token-1", validity = 2000 - now} end
      return {token = "canary-token-" .. n, validity = 1000}
    end)
    local first, second = world.process(), world.process()
    ask(first, world)
    world.skip(50)
    second:forget()
    ask(second, world)   -- the same token, later
    world.skip(805)
    first:token()
    assert.equal("canary-token-3", first:peek().accessToken)
    assert.equal(3, #world.posts)
  end)

  it("ask for themselves when the failure is older than their call", function()
    local world = sharing(function(n)
      return n == 1 and {failure = "connect"} or {token = "canary-token", validity = 100}
    end)
    world.random = function() return 1 end
    local first, second = world.process(), world.process()
    assert.equal("connect", select(3, ask(first, world)).code)
    world.skip(0.5)
    assert.equal("canary-token", ask(second, world).accessToken)
    assert.equal(2, #world.posts)
    assert.is_true(world.posts[2] - world.posts[1] >= 1)   -- and in their turn
  end)

  it("count the failures of all: the gaps between their tries grow", function()
    local world = sharing(function(n)
      return n == 1 and {token = "canary-token", validity = 1000} or {failure = "connect"}
    end)
    world.random = function() return 1 end
    ask(world.process(), world)
    world.skip(850)
    local ends = world.now + 31.5
    while world.now < ends do   -- lives too short to count for themselves
      local kept = world.process()
      ask(kept, world)
      assert.is_truthy(kept:token())
      world.skip(0.25)
    end
    assert.equal(1 + 6, #world.posts)
  end)

  it("have their failures behind them when another has got a token", function()
    local world = sharing(function(n)
      return n == 2 and {token = "canary-token", validity = 100} or {failure = "connect"}
    end)
    world.random = function() return 1 end
    local first, second = world.process(), world.process()
    ask(first, world)
    world.skip(0.5)
    ask(second, world)
    first:look()
    world.skip(85)
    for _ = 1, 2 do   -- the refreshes behind it, a second apart
      assert.is_truthy(first:token())
      world.skip(1)
    end
    assert.equal(4, #world.posts)
  end)

  it("have their denials behind them when the bank has given a token", function()
    local world = sharing(function(n)
      return n == 4 and {token = "canary-token", validity = 1000} or {status = 401}
    end)
    local kept = world.process()
    for _, pause in ipairs{5, 10, 20} do
      assert.is_nil(ask(kept, world))
      world.skip(pause + 1)
    end
    local token = assert(ask(kept, world))
    assert.is_true(kept:invalidate(token))
    world.skip(6)
    assert.equal(token, (ask(kept, world)))   -- there is no other
    assert.equal(4, count(world, "denied"))
    assert.equal(5, #world.posts)
    world.skip(6)   -- the first denial of a new row: 5 s
    world.call(function() kept:token() end)
    world.pass(1)
    assert.equal(6, #world.posts)
  end)

  it("keep a failure that is later than a token which comes late", function()
    local world = sharing(steady(100))
    local kept = world.process()
    local token, asked = ask(kept, world), world.now
    world.skip(2)
    kept.shared:put_failure{problem = require("corebank.auth.exchange.problem").new("denied", "no"),
      at = asked + 1, departed = asked + 1, nextRefresh = asked + 2, latched = asked + 6,
      failures = 1, denials = 1}
    kept.shared:put_token{token = token, lifetime = 100, departed = asked}
    assert.equal("denied", kept.shared:failure(nil).problem.code)
    kept.shared:put_token{token = token, lifetime = 100, departed = asked + 1.5}
    assert.is_nil(kept.shared:failure(nil))
  end)

  it("count it as a request of their own when another has asked", function()
    local world = sharing(steady(100))
    local first, second = world.process(), world.process()
    ask(first, world)
    ask(second, world)
    assert.is_true(second:forget())
    ask(second, world)
    assert.is_true(world.posts[2] - world.posts[1] >= 1 - 1e-9)
  end)

  it("go on when the one that asks never comes back, after its lease", function()
    local world = sharing(steady(100, 2), {timeout = 5})
    local gone = world.process()
    local thread = coroutine.create(function() gone:token() end)
    assert(coroutine.resume(thread))
    assert.equal(1, #world.posts)
    gone.flight.advance = function() end   -- killed: nobody drives it any more
    local problem
    local second = world.process()
    world.call(function() problem = select(3, second:token()) end)
    world.pass(5.5, 0.1)
    assert.equal("timeout", problem.code)
    assert.is_truthy(problem.message:find("another process", 1, true))
    assert.equal(0, problem.attempts)   -- none was made: nobody counts it as a call
    assert.equal(0, world.events[1].attempts)
    world.pass(2, 0.1)
    assert.equal("canary-token-2", ask(second, world).accessToken)
    assert.equal(2, #world.posts)
  end)

  for what, answer in pairs{
    token = {token = "canary-token-1", validity = 1000, takes = 1},
    failure = {status = 400, takes = 1},
  } do
    it("write no late " .. what .. " over what came of a later request", function()
      local world = sharing(function(n)
        if n == 1 then return answer end
        return answer.token and {token = "canary-token-2", validity = 100} or {status = 403}
      end, {timeout = 5})
      local asleep = world.process()
      local thread = coroutine.create(function() asleep:token() end)
      assert(coroutine.resume(thread))
      world.skip(1)
      next(world.open).step()   -- the answer is there, and nobody looks at it
      world.skip(7)   -- until its lease is over
      ask(world.process(), world)
      asleep.flight:advance()
      assert.is_false(asleep:is_fetching())
      assert.equal(2, #world.posts)
      local told = world.process()
      local token = told:look()
      assert.equal(answer.token and "canary-token-2", token and token.accessToken)
      assert.equal(not answer.token, (told:explain().problem or ""):find("403") ~= nil)
    end)
  end

  it("and a short timeout have all of it for the bank, however long they rest first", function()
    for _, timeout in ipairs{0.5, 1} do
      local world = sharing(steady(1, 0.4), {timeout = timeout})
      local kept = world.process()
      for n = 1, 5 do
        local began = world.now
        local token, message = ask(kept, world)
        assert.equal("canary-token-" .. n, token and token.accessToken, message)
        assert.is_true(world.now - began <= timeout + 1.05)
        kept:forget()   -- as if it had ended: a second has not passed since it asked
      end
      assert.equal(5, #world.posts)
    end
  end)

  it("that wait in vain do not say that the bank failed", function()
    local world = sharing(function(n)
      return {token = "canary-token-" .. n, validity = 1, takes = n == 2 and 30 or nil}
    end, {timeout = 5})
    local gone, late = world.process(), world.process()
    ask(late, world)   -- it has had its turn before
    world.skip(10)
    assert(coroutine.resume(coroutine.create(function() gone:token() end)))
    local problem
    world.call(function() problem = select(3, late:token()) end)
    gone.flight.advance = function() end   -- killed: nobody drives it any more
    world.pass(5.5, 0.1)
    assert.equal("timeout", problem.code)
    local told = world.process()
    told:look()
    assert.is_nil(told:explain().problem)
  end)

  it("see what another has got within a tenth of a second, and at once when it was quick",
    function()
      for takes, latest in pairs{[0.02] = 0.03, [2] = 0.11} do
        local world = sharing(steady(100, takes))
        local first, second = world.process(), world.process()
        world.call(function() first:token() end)
        local came
        world.call(function()
          second:token()
          came = world.now
        end)
        world.pass(takes + 0.2, 0.005)
        assert.is_true(came - 1000 - takes <= latest, came)
      end
    end)

  it("drop a rejected token for all, and take a newer one without a POST", function()
    local world = sharing(steady(100))
    local first, second = world.process(), world.process()
    local old = ask(first, world)
    local same = ask(second, world)
    assert.is_true(first:invalidate(old))
    local new = ask(first, world)
    assert.equal("canary-token-2", new.accessToken)
    assert.is_true(second:invalidate(same))
    assert.equal("canary-token-2", ask(second, world).accessToken)
    assert.equal(2, #world.posts)
  end)

  it("do not take a rejected token back that another client has put there again", function()
    local world = sharing(steady(100))
    local first = world.process()
    local old = ask(first, world)
    local delete = world.store.delete
    rawset(world.store, "delete", function() return true end)   -- it comes too late
    first:invalidate(old)
    rawset(world.store, "delete", delete)
    world.skip(1)
    assert.equal("canary-token-2", ask(first, world).accessToken)
  end)

  it("reject a token once in 5 s, all together", function()
    local world = sharing(steady(100))
    local first, second = world.process(), world.process()
    assert.is_true(first:invalidate((ask(first, world))))
    local new = ask(first, world)
    local same = ask(second, world)   -- it has never had another
    assert.equal(new.accessToken, same.accessToken)
    assert.is_false(second:invalidate(same))
    world.skip(5)
    assert.is_true(second:invalidate(same))
  end)

  it("whose turn comes too late leave it to the next", function()
    local world = sharing(function(n)
      return {token = "canary-token-" .. n, validity = 1, takes = n > 1 and 30 or nil}
    end, {timeout = 5})
    local gone, late = world.process(), world.process()
    ask(late, world)
    world.skip(10)
    local thread = coroutine.create(function() gone:token() end)
    assert(coroutine.resume(thread))
    local problem
    world.call(function() problem = select(3, late:token()) end)
    world.pass(4.5, 0.1)
    gone:close()   -- its lease is free, and half a second is left
    world.pass(0.6, 0.1)
    assert.equal("timeout", problem.code)
    assert.equal(2, #world.posts)
    local told = world.process()
    told:look()
    assert.is_nil(told:explain().problem)   -- it is nobody else's: the bank was not asked
    world.call(function() late:token() end)
    assert.equal(3, #world.posts)
  end)

  it("keep a token that was found nowhere once it is forgotten", function()
    local world = sharing(steady(100))
    ask(world.process(), world)
    local second = world.process()
    local seen = setmetatable({ask(second, world)}, {__mode = "v"})
    second:forget()
    collectgarbage()
    collectgarbage()
    assert.is_nil(seen[1])
  end)

  it("look and forget: without a request", function()
    local world = sharing(steady(100))
    local first, second = world.process(), world.process()
    assert.is_nil(second:look())
    ask(first, world)
    assert.equal("canary-token-1", second:look().accessToken)
    assert.is_true(second:forget())
    assert.is_nil(second:peek())
    assert.is_nil(world.process():look())
    assert.equal(1, #world.posts)
    local delete, calls = world.store.delete, 0
    rawset(world.store, "delete", function(...)
      calls = calls + 1
      if calls == 1 then return nil, "is broken" end
      return delete(...)
    end)
    assert.is_false(second:forget())
    assert.is_true(second:forget())
  end)

  it("look at what went wrong, too", function()
    local world = sharing(function() return {status = 401} end)
    ask(world.process(), world)
    world.skip(1)
    local told = world.process()
    told:look()
    assert.equal(1000 + world.skew, told:explain().problemAt)
    told = told:explain()
    assert.is_truthy(told.problem:find("does not accept", 1, true))
    assert.is_true(told.latchedFor > 3 and told.latchedFor <= 4)
  end)
end)

describe("clients of one process", function()
  it("leave the turn to each other, too", function()
    local world = sharing(steady(100, 2))
    world.pid, world.random = 1, math.random
    local first, second = world.process(), world.process()
    world.call(function() first:token() end)
    world.call(function() second:token() end)
    world.pass(3, 0.05)
    assert.equal(1, #world.posts)
    assert.is_truthy(second:peek())
  end)
end)

describe("clients that share nothing", function()
  it("because of different certificates", function()
    local world = sharing(steady(100))
    ask(world.process{clientCert = "/cert.pem"}, world)
    ask(world.process{clientCert = "/renewed.pem"}, world)
    assert.equal(2, #world.posts)
  end)

  for what, other in pairs{
    ["another secret"] = {clientSecret = "canary-secret-other"},
    ["another id"] = {clientId = "id2"},
    ["another bank"] = {baseUrl = "https://other.example"},
    ["another path"] = {path = "/token"},
    ["another certificate"] = {clientCert = "/cert.pem"},
  } do
    it("because of " .. what, function()
      local world = sharing(steady(100))
      ask(world.process(), world)
      ask(world.process(other), world)
      assert.equal(2, #world.posts)
    end)
  end
end)

describe("a store that is broken", function()
  local function broken(method, how)
    local world = sharing(steady(100))
    rawset(world.store, method, how)
    return world
  end

  for _, method in ipairs{"get", "put", "lease", "release", "delete"} do
    it("in " .. method .. ": tokens still flow, and it is told", function()
      for _, how in ipairs{function() return nil, "is broken" end,
        function() error("canary-secret") end} do
        local world = broken(method, how)
        local kept = world.process()
        local token = assert((ask(kept, world)))
        kept:invalidate(token)
        world.skip(1)
        assert((ask(kept, world)))
        assert.equal(2, #world.posts)
        assert.is_true(count(world, "store_failed") >= 1)
        for _, event in ipairs(world.events) do
          if event.name == "store_failed" then assert.equal(method, event.operation) end
        end
        survive.no_canary(world.events)
      end
    end)
  end

  it("while a caller waits: it is told once", function()
    local world = broken("get", function() return nil, "is broken" end)
    rawset(world.store, "lease", function() return world.now > 1001 end)
    assert((ask(world.process(), world)))
    assert.equal(1, count(world, "store_failed"))
  end)

  it("with damaged entries: they are misses, and it is told", function()
    for _, bytes in ipairs{"", "x", ("x"):rep(200), true, {}, 7, print} do
      local world = sharing(steady(100))
      rawset(world.store, "get", function() return bytes end)
      assert((ask(world.process(), world)))
      assert.equal(1, #world.posts)
      assert.is_true(count(world, "store_failed") >= 1)
    end
  end)

  it("by memory running out, or a caller's Ctrl-C, raises", function()
    for _, fault in ipairs{"not enough memory", "store.lua:7: interrupted!"} do
      local world = broken("get", function() error(fault, 0) end)
      local kept = world.process()
      local ok, message = pcall(kept.token, kept)
      assert.is_false(ok)
      assert.equal(fault, message)
    end
  end)
end)

describe("a failure in the store", function()
  local function failed()
    local world = sharing(function(n)
      return n == 1 and {status = 503, takes = 0.1} or {token = "canary-token", validity = 100}
    end)
    local put = world.store.put   -- for ever
    rawset(world.store, "put", function(self, name, bytes) return put(self, name, bytes, 1e6) end)
    assert.is_nil((ask(world.process{attempts = 1}, world)))
    return world
  end

  it("is no caller's of a time that the clock, set back, takes for the future", function()
    local world = failed()
    world.session = "another start"
    world.skew = world.skew - 600
    assert((ask(world.process{attempts = 1}, world)))
    assert.equal(2, #world.posts)
  end)

  it("counts for five minutes, in a store that keeps it for longer, too", function()
    for _, seconds in ipairs{250, 350} do
      local world = failed()
      world.skip(seconds)
      local kept = world.process{attempts = 1}
      kept:look()
      assert.equal(seconds < 300, kept:explain().problem ~= nil)
    end
  end)
end)

describe("a token in the store", function()
  it("ends no later when the wall clock is set back in between", function()
    local world = sharing(steady(100))
    ask(world.process(), world)
    world.skip(50)
    world.skew = world.skew - 7200
    local token = ask(world.process(), world)
    assert.is_true(token:remaining() <= 50.01)
    world.session = "another start"   -- and no more than it had at first when the machine restarts
    token = ask(world.process(), world)
    assert.is_true(token:remaining() <= 100)
  end)

  it("that was rejected and cannot be deleted and stays keeps nobody from the bank",
    function()
      local world = sharing(steady(1000))
      local kept = world.process()
      local token = ask(kept, world)
      rawset(world.store, "delete", function() return nil, "is broken" end)
      rawset(world.store, "put", function() return nil, "is broken" end)
      world.skip(10)
      kept:invalidate(token)
      world.session = "another start"
      world.skew = world.skew - 60
      local began = world.now
      ask(kept, world)
      assert.is_true(world.now - began < 10, world.now - began)
    end)

  it("ends by the wall clock when the machine was started in between", function()
    local world = sharing(steady(100))
    ask(world.process(), world)
    world.session = "another start"
    world.skew = world.skew + world.now + 30   -- the boot clock begins anew, and 30 s have passed
    world.now = 0
    local token = ask(world.process(), world)
    assert.is_true(math.abs(token:remaining() - 70) < 0.01)
    assert.equal(1, #world.posts)
  end)

  it("is refreshed by one whose secret is changed meanwhile: its turn is given back", function()
    local world = sharing(steady(1000, 7))
    world.host.launch = function(flight) world.own = flight end
    local own = core.secret("canary-secret")
    local kept = world.process{clientSecret = own}
    world.call(function() kept:token() end)
    world.skip(7.1)
    world.own:advance()
    world.skip(850)
    local function move_on(seconds)
      for _ = 1, seconds * 10 do
        kept:token()
        world.skip(0.1)
      end
    end
    move_on(2.5)
    own:replace(core.secret("canary-secret-new"))
    secret.changes = secret.changes + 1   -- as if its file had been read again
    move_on(2)
    kept:close()
    local other = world.process()
    other:forget()
    world.call(function() other:token() end)
    assert.equal(3, #world.posts)   -- at once
  end)

  it("is not found with a secret that was changed", function()
    local world = sharing(steady(100))
    local own = core.secret("canary-secret")
    local kept = world.process{clientSecret = own}
    ask(kept, world)
    assert.is_truthy(world.process{clientSecret = own}:look())
    own:replace(core.secret("canary-secret-new"))
    assert.is_nil(world.process{clientSecret = own}:look())
  end)
end)
