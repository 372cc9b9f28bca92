-- Clients that share a store refresh its token once.

local fake = require "spec.support.fake"
local sharing = require "spec.support.sharing"

local ask, steady = fake.ask, fake.steady

describe("clients with one store", function()
  it("refresh by the first life of the token, not by what is left of it", function()
    local world = sharing.world(steady(1000))
    ask(world.process(), world)
    world.skip(700)
    local second = world.process()
    ask(second, world)
    assert.is_true(math.abs(second:explain().refreshIn - 100) < 1)
  end)

  it("leave a refresh to the one that is at it", function()
    local world = sharing.world(steady(100, 2))
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
      local world = sharing.world(steady(100, 2))
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

  it("do not wait for the one that is at it while they have a token", function()
    local world = sharing.world(steady(100, 2))
    local first, second = world.process(), world.process()
    ask(first, world)
    ask(second, world)
    world.skip(85)
    first:token()
    second:token()
    assert.is_false(second:is_fetching())
  end)

  for what, name in pairs{["the same token"] = "", ["another token, but no later end"] = "-%d"} do
    it("are told by one of them that the bank gives " .. what, function()
      local world = sharing.world(function(n, now)
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
    local world = sharing.world(function(n, now)
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
end)
