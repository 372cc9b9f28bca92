-- How a plain script waits, on the real clock; scheduler_spec has what becomes of its tasks.

local blocking = require "corebank.auth.host.blocking"
local core = require "corebank.auth.core"
local process = require "spec.process"

describe("waiting in a plain script", function()
  it("for seconds lasts no less, and for none no time", function()
    local began = core.boot()
    blocking.sleep(0)
    blocking.sleep(-60)
    local rested = core.boot()
    assert.is_true(rested - began < 30)
    blocking.sleep(0.01)
    assert.is_true(core.boot() - rested >= 0.01)
  end)

  it("moves on what nobody waits for, and what nobody holds any more", function()
    local taken = 0
    blocking.spawn(function()
      for _ = 1, 3 do
        blocking.sleep(0)
        taken = taken + 1
      end
    end)
    collectgarbage()
    collectgarbage()
    blocking.sleep(0.05)
    assert.equal(3, taken)
  end)

  it("moves on no task that a forked child has of its parent", function()
    local taken = 0
    local task = blocking.spawn(function()
      blocking.sleep(0)
      taken = taken + 1
    end)
    blocking.poll()
    local child = process.fork(function()
      blocking.sleep(0.01)
      return taken == 0
    end)
    assert.equal(0, process.wait(child))
    task:wait()
    assert.equal(1, taken)
  end)

  it("leaves the processor to others", function()
    local began = os.clock()
    local task = blocking.spawn(function() blocking.sleep(0.3) end)
    blocking.sleep(0.2)
    task:wait()
    blocking.condition():wait(0.1)
    assert.is_true(os.clock() - began < 0.1)
  end)
end)
