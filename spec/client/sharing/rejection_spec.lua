-- A rejected token is dropped for all who share the store.

local fake = require "spec.support.fake"
local sharing = require "spec.support.sharing"

local ask, steady = fake.ask, fake.steady

describe("clients with one store", function()
  it("drop a rejected token for all, and take a newer one without a POST", function()
    local world = sharing.world(steady(100))
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
    local world = sharing.world(steady(100))
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
    local world = sharing.world(steady(100))
    local first, second = world.process(), world.process()
    assert.is_true(first:invalidate((ask(first, world))))
    local new = ask(first, world)
    local same = ask(second, world)   -- it has never had another
    assert.equal(new.accessToken, same.accessToken)
    assert.is_false(second:invalidate(same))
    world.skip(5)
    assert.is_true(second:invalidate(same))
  end)

  it("share the denial that a rejection led to, at the very moment of the token", function()
    local world = sharing.world(function(n)
      return n == 1 and {token = "canary-token-1", validity = 1000} or {status = 401}
    end)
    local first, second = world.process(), world.process()
    local token = ask(first, world)
    assert.is_true(first:invalidate(token))
    assert.equal(token.accessToken, ask(first, world).accessToken)
    assert.equal(token.accessToken, ask(second, world).accessToken)
    assert.equal(2, #world.posts)
  end)
end)

describe("a token in the store", function()
  it("that was rejected and cannot be deleted and stays keeps nobody from the bank",
    function()
      local world = sharing.world(steady(1000))
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
end)
