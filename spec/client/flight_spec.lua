-- Work that outlives its caller, with transfers that are tables; single_flight_spec has what
-- comes of it.

local core = require "corebank.auth.core"
local flight = require "corebank.auth.client.flight"

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

describe("a flight", function()
  local function ready_at_once()
    return {step = function() return true end, is_done = function() return true end}
  end

  for name, wish in pairs{["a transfer"] = function() return ready_at_once() end,
    ["seconds"] = function() return nil, 0 end} do
    it("that waits for " .. name .. " ends wherever Ctrl-C meets it", function()
      local n = 0
      repeat
        n = n + 1
        local own = flight.new(function()
          coroutine.yield(wish())
          return {}
        end, function() end, {boot = core.boot}, coroutine)
        own:start()
        local interrupted = interrupt(n, function() own:advance() end)
        own:advance()
        assert.is_true(own.done, n)
      until not interrupted
      assert.is_true(n > 20)   -- instructions are counted
    end)
  end
end)
