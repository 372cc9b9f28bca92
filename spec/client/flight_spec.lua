-- A flight that Ctrl-C meets anywhere; single_flight_spec has what comes of one.

local fake = require "spec.support.fake"
local memory = require "corebank.auth.store.memory"

-- Calls `job`, and raises at its `n`th instruction if it has so many. Whether it did.
local function interrupt(n, job)
  local function raise()
    debug.sethook()
    error("interrupted!", 0)
  end
  return not pcall(function()
    debug.sethook(raise, "", n)
    job()
    debug.sethook()
  end)
end

describe("a flight that Ctrl-C meets", function()
  for name, store in pairs{["with a store"] = true, ["without a store"] = false} do
    it(name .. " keeps no later call from its token, and leaves nothing open", function()
      local n, interrupted = 0
      repeat
        n = n + 1
        local world = fake.world(fake.steady(100))
        local kept = fake.keep(nil, {store = store and memory.new(world.system.boot) or nil}, world)
        interrupted = interrupt(n, function() kept:token() end)
        world.skip(3)
        assert.is_truthy(fake.ask(kept, world), n)
        assert.is_false(kept:is_fetching(), n)
        kept:close()
        world.pass(1)
        if interrupted then collectgarbage() end
        assert.is_nil(next(world.open), n)
      until not interrupted
      assert.is_true(n > 100)   -- instructions are counted
    end)
  end
end)
