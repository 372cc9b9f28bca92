-- All who need a token wait for one flight and share its outcome.

local fake = require "spec.support.fake"

local ask, keep, steady = fake.ask, fake.keep, fake.steady

describe("callers who wait together", function()
  it("share one flight and its token", function()
    local kept, world = keep(steady(100, 2))
    local got = {}
    for i = 1, 50 do world.call(function() got[i] = kept:token() end) end
    world.pass(3)
    assert.equal(50, #got)
    for i = 2, 50 do assert.equal(got[1], got[i]) end
    assert.equal(1, #world.posts)
  end)

  it("share its failure, too: nobody tries in turn", function()
    local kept, world = keep(function() return {failure = "timeout", takes = 3} end)
    local codes = {}
    for i = 1, 20 do world.call(function() codes[i] = select(3, kept:token()).code end) end
    world.pass(3.5)
    assert.equal(20, #codes)
    assert.equal(1, #world.posts)
  end)

  it("share it, too, when they first have to rest for it", function()
    local kept, world = keep(function() return {failure = "connect"} end)
    ask(kept, world)
    world.pass(0.5)
    local codes = {}
    for i = 1, 20 do world.call(function() codes[i] = select(3, kept:token()).code end) end
    world.pass(0.75)
    assert.equal(20, #codes)
    assert.equal(2, #world.posts)
  end)

  it("get the token although the one who started the flight is gone", function()
    local kept, world = keep(steady(100, 2))
    world.call(function() kept:token() end)
    world.running = {}   -- nobody will ever resume it
    local got
    world.call(function() got = kept:token() end)
    world.pass(3)
    assert.equal("canary-token-1", got.accessToken)
    assert.equal(1, #world.posts)
  end)
end)

describe("a flight that raises", function()
  it("raises for everybody who waits, and the next call starts anew", function()
    local kept, world = keep(function(n)
      return n == 1 and {fault = "not enough memory", takes = 1}
        or {token = "canary-token-2", validity = 100}
    end)
    local waiters = {}
    for i = 1, 3 do
      waiters[i] = coroutine.create(function() return kept:token() end)
      assert(coroutine.resume(waiters[i]))
    end
    assert.has_error(function() world.pass(2) end, "not enough memory")   -- as the timer would
    for _, waiter in ipairs(waiters) do
      local ok, why = coroutine.resume(waiter)
      assert.is_false(ok)
      assert.equal("not enough memory", why)
    end
    assert.is_nil(next(world.open))
    assert.equal("canary-token-2", ask(kept, world).accessToken)
  end)

  it("before it is under way leaves nothing behind that hinders", function()
    local kept, world = keep(steady(100))
    local transfer = world.system.transfer
    world.system.transfer = function() error("interrupted", 0) end
    assert.has_error(function() kept:token() end, "interrupted")
    world.system.transfer = transfer
    world.pass(1)
    assert.equal("canary-token-1", ask(kept, world).accessToken)
  end)
end)
