-- A token that was rejected.

local fake = require "spec.support.fake"

local ask, keep, steady = fake.ask, fake.keep, fake.steady

describe("invalidate", function()
  it("drops the very token at hand, and the next call fetches at once", function()
    local kept, world = keep(steady(100))
    local first = ask(kept, world)
    assert.is_true(kept:invalidate(first))
    assert.is_nil(kept:peek())
    local second = ask(kept, world)
    assert.are_not.equal(first, second)
    world.skip(5)
    assert.is_false(kept:invalidate(first))   -- an older one: too late
    assert.is_false(kept:invalidate(nil))
    assert.equal(second, kept:peek())
    assert.equal(2, #world.posts)
  end)

  it("raises at its caller's line for what can be no token, such as one's accessToken", function()
    local kept, world = keep(steady(100))
    local token = ask(kept, world)
    for _, given in ipairs{token.accessToken, 42, true} do
      local ok, message = pcall(function() return (kept:invalidate(given)) end)
      assert.is_false(ok)
      assert.equal("a token is needed, not " .. type(given),
        message:match "^spec/client/invalidate_spec.lua:%d+: invalidate: (.*)$")
    end
    assert.equal(token, kept:peek())
  end)

  it("drops what the bank has given again meanwhile, with a later end", function()
    local kept, world = keep(function() return {token = "canary-token", validity = 100} end)
    local first = ask(kept, world)
    world.skip(85)
    kept:token()
    world.pass(1)
    assert.are_not.equal(first, kept:peek())
    assert.is_true(kept:invalidate(first))
    assert.is_nil(kept:peek())
  end)

  it("of a new token that is rejected, too: one refresh in 5 s, however often", function()
    local kept, world = keep(steady(100))
    for _ = 1, 1000 do
      kept:invalidate(ask(kept, world))
      world.skip(0.02)
    end
    assert.is_true(#world.posts <= 1 + 20 / 5)
  end)

  it("takes the token of a request that had begun: the bank may have revoked the old one for it",
    function()
      local kept, world = keep(steady(100, 2))
      local first = ask(kept, world)
      world.skip(85)
      kept:token()   -- the refresh is on its way
      world.skip(1)
      assert.is_true(kept:invalidate(first))
      world.pass(3)
      assert.equal("canary-token-2", kept:peek().accessToken)
      assert.equal("fresh", kept:explain().state)
      assert.equal(2, #world.posts)
      -- It is not the first of a series: the next rejection counts at once.
      assert.is_true(kept:invalidate(kept:peek()))
    end)

  it("asks again when a request that had begun brings the rejected token", function()
    local number = 1
    local kept, world = keep(function()
      return {token = "canary-token-" .. number, validity = 100, takes = 2}
    end)
    local first = ask(kept, world)
    world.skip(85)
    kept:token()
    number = 2   -- for the requests after this one
    world.skip(1)
    assert.is_true(kept:invalidate(first))
    local got
    world.call(function() got = kept:token() end)
    world.pass(1.5)
    assert.is_nil(got)
    world.pass(3)
    assert.equal("canary-token-2", got.accessToken)
    assert.equal(3, #world.posts)
  end)
end)
