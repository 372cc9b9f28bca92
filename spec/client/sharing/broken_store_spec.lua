-- A store that is broken is told of, and tokens flow.

local fake = require "spec.support.fake"
local sharing = require "spec.support.sharing"
local survive = require "spec.support.survive"

local ask, steady = fake.ask, fake.steady

describe("a store that is broken", function()
  local function broken(method, how)
    local world = sharing.world(steady(100))
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
        kept:forget()
        assert.is_true(sharing.count(world, "store_failed") >= 1)
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
    assert.equal(1, sharing.count(world, "store_failed"))
  end)

  it("with damaged entries: they are misses, and it is told", function()
    for _, bytes in ipairs{"", "x", ("x"):rep(200), true, {}, 7, print} do
      local world = sharing.world(steady(100))
      rawset(world.store, "get", function() return bytes end)
      assert((ask(world.process(), world)))
      assert.equal(1, #world.posts)
      assert.is_true(sharing.count(world, "store_failed") >= 1)
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
