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

  it("keep the newer token that another client puts there while they mark theirs", function()
    local world = sharing.world(steady(100))
    local first, second = world.process(), world.process()
    ask(first, world)
    local old = ask(second, world)
    world.skip(85)
    local get = world.store.get
    rawset(world.store, "get", function(store, name)
      rawset(world.store, "get", nil)
      local bytes = get(store, name)
      ask(first, world)
      first:settle()
      return bytes
    end)
    assert.is_true(second:invalidate(old))
    assert.equal("canary-token-2", world.process():look().accessToken)
    assert.equal("canary-token-2", second:peek().accessToken)
    assert.equal(2, #world.posts)
  end)

  it("count no rejection of a token that another client had asked to replace", function()
    local world = sharing.world(steady(100, 1))
    local first, second = world.process(), world.process()
    ask(first, world)
    local old = ask(second, world)
    world.skip(85)
    first:token()
    world.pass(0.5)
    assert.is_true(second:invalidate(old))
    local new = ask(second, world)
    assert.equal("canary-token-2", new.accessToken)
    assert.is_true(second:invalidate(new))
    assert.equal("canary-token-3", ask(second, world).accessToken)
    assert.equal(3, #world.posts)
  end)

  it("take the newer token of the store when theirs is rejected while that does not count",
    function()
      local world = sharing.world(steady(100))
      local first, second = world.process(), world.process()
      first:invalidate((ask(first, world)))
      ask(first, world)
      local old = ask(second, world)
      world.skip(1)
      rawset(world.store, "get", function() return nil end)   -- it does not see that one
      local third = world.process()
      assert.equal("canary-token-3", ask(third, world).accessToken)
      world.store.get = nil
      assert.same({false, 4}, {second:invalidate(old)})
      assert.equal("canary-token-3", second:peek().accessToken)
      assert.equal(3, #world.posts)
    end)

  it("look for it once a second at most", function()
    local world = sharing.world(steady(100))
    local kept = world.process()
    kept:invalidate((ask(kept, world)))
    local token, looks, get = ask(kept, world), 0, world.store.get
    rawset(world.store, "get", function(...)
      looks = looks + 1
      return get(...)
    end)
    for _ = 1, 40 do
      kept:invalidate(token)
      world.skip(0.1)
    end
    assert.is_true(looks >= 3 and looks <= 5, looks)
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
