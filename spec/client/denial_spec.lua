-- What callers see of a bank that said no; latch_spec has for how long.

local fake = require "spec.support.fake"

local ask, keep = fake.ask, fake.keep

describe("a denial", function()
  local denied = function() return {status = 401} end

  it("is remembered: 10 more calls, no POST", function()
    local kept, world = keep(denied)
    local _, message, first = ask(kept, world)
    assert.is_nil(first.remembered)
    for _ = 1, 10 do
      world.skip(0.4)
      local token, again, problem = ask(kept, world)
      assert.is_nil(token)
      assert.equal(message, again)
      assert.equal("denied", problem.code)
      assert.equal(401, problem.status)
      assert.is_true(problem.remembered)
    end
    assert.equal(1, #world.posts)
  end)

  it("is asked about again after 5 s, doubling to 60", function()
    local kept, world = keep(denied)
    for _ = 1, 2000 do
      ask(kept, world)
      world.skip(0.25)
    end
    local gaps = {}
    for i = 2, 7 do gaps[i - 1] = world.posts[i] - world.posts[i - 1] end
    assert.same({5, 10, 20, 40, 60, 60}, gaps)
  end)

  it("takes no valid token away, and keeps the refresh behind it off, too", function()
    for _, answer in ipairs{{status = 401}, {status = 503, retryAfter = 300},
      {status = 429, retryAfter = 60}} do
      local kept, world = keep(function(n)
        return n == 1 and {token = "canary-token-1", validity = 2000} or answer
      end)
      local token = ask(kept, world)
      world.skip(1701)
      for _ = 1, 50 do
        assert.equal(token, kept:token())
        world.skip(0.08)
      end
      assert.equal(2, #world.posts)
    end
  end)

  it("is over once the bank has said yes: the next one begins at 5 s again", function()
    local kept, world = keep(function(n)
      return n == 3 and {token = "canary-token-3", validity = 100} or {status = 401}
    end)
    ask(kept, world)
    world.skip(5)
    ask(kept, world)
    assert.equal(10, kept:explain().latchedFor)
    world.skip(10)
    assert.is_true(kept:invalidate(ask(kept, world)))
    assert.is_nil(kept:explain().latchedFor)
    ask(kept, world)
    assert.equal(5, kept:explain().latchedFor)
  end)

  it("lasts as long as its Retry-After, if that is longer", function()
    local kept, world = keep(function() return {status = 403, retryAfter = 40} end)
    ask(kept, world)
    world.skip(39)
    assert.is_true(select(3, ask(kept, world)).remembered)
    assert.equal(1, #world.posts)
  end)

  it("and a Retry-After keeps callers off as long as it says", function()
    local kept, world = keep(function() return {status = 503, retryAfter = 30} end)
    ask(kept, world)
    world.skip(29)
    local _, _, problem = ask(kept, world)
    assert.is_true(problem.remembered and problem.retryAfter == 1)
    assert.equal(1, #world.posts)
    world.skip(1)
    ask(kept, world)
    assert.equal(2, #world.posts)
  end)
end)
