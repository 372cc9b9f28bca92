-- Clients that share a store share failures, too.

local fake = require "spec.support.fake"
local sharing = require "spec.support.sharing"

local ask, steady = fake.ask, fake.steady

describe("clients with one store", function()
  it("20 of them, cold, and the bank is down: 1 POST, and all have the problem", function()
    local world = sharing.world(function() return {failure = "connect", takes = 2} end)
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
    local world = sharing.world(function() return {status = 401} end)
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
    local world = sharing.world(function() return {status = 503, retryAfter = 30} end)
    ask(world.process(), world)
    world.skip(20)
    local _, _, problem = ask(world.process(), world)
    assert.is_true(problem.remembered)
    assert.is_true(problem.retryAfter > 8 and problem.retryAfter <= 10)
    assert.equal(1, #world.posts)
  end)

  it("in a loop of short lives start no two requests within a second", function()
    local world = sharing.world(function() return {failure = "connect"} end)
    for _ = 1, 100 do
      ask(world.process(), world)
      world.skip(0.01)
    end
    for i = 2, #world.posts do
      assert.is_true(world.posts[i] - world.posts[i - 1] >= 1 - 1e-3)
    end
  end)

  it("share the failure of a refresh: they do not try in turn", function()
    local world = sharing.world(function(n)
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

  it("ask for themselves when the failure is older than their call", function()
    local world = sharing.world(function(n)
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
    local world = sharing.world(function(n)
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
    local world = sharing.world(function(n)
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
    local world = sharing.world(function(n)
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
    assert.equal(4, sharing.count(world, "denied"))
    assert.equal(5, #world.posts)
    world.skip(6)   -- the first denial of a new row: 5 s
    world.call(function() kept:token() end)
    world.pass(1)
    assert.equal(6, #world.posts)
  end)

  it("keep a failure that is later than a token which comes late", function()
    local world = sharing.world(steady(100))
    local kept = world.process()
    local token, asked = ask(kept, world), world.now
    world.skip(2)
    kept.shared:put_failure{problem = require("corebank.auth.exchange.problem").new("denied", "no"),
      at = asked + 1, departed = asked + 1, nextRefresh = asked + 2, latched = asked + 6,
      failures = 1, denials = 1}
    kept.shared:put_token{token = token, lifetime = 100, departed = asked}
    assert.equal("denied", select(2, kept.shared:look()).problem.code)
    kept.shared:put_token{token = token, lifetime = 100, departed = asked + 1.5}
    assert.is_nil((select(2, kept.shared:look())))
  end)

  it("count it as a request of their own when another has asked", function()
    local world = sharing.world(steady(100))
    local first, second = world.process(), world.process()
    ask(first, world)
    ask(second, world)
    assert.is_true(second:forget())
    ask(second, world)
    assert.is_true(world.posts[2] - world.posts[1] >= 1 - 1e-9)
  end)
end)

describe("a failure in the store", function()
  local function failed()
    local world = sharing.world(function(n)
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
