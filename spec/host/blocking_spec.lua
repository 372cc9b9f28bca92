-- How a plain script waits, with flights and transfers that are tables.

local blocking = require "corebank.auth.host.blocking"
local core = require "corebank.auth.core"
local process = require "spec.process"

describe("waiting in a plain script", function()
  -- A transfer, or a flight that waits for one, which is done at its `steps`th step.
  local function slow(steps, at_a_step)
    local thing = {taken = 0, wanted = {wait = function() end}}
    function thing.step()
      thing.taken = thing.taken + 1
      if at_a_step then at_a_step() end
      thing.done = thing.taken >= steps
      return thing.done
    end
    function thing.advance(_, stepped)
      thing.step()
      return stepped
    end
    thing.wait = thing.step
    return thing
  end

  it("for a transfer moves on what nobody waits for", function()
    local behind = slow(3)
    blocking.launch(behind)
    blocking.wait(slow(6))
    assert.equal(3, behind.taken)
  end)

  it("for a transfer moves on what nobody holds any more", function()
    local taken = 0
    blocking.launch(slow(3, function() taken = taken + 1 end))
    collectgarbage()
    collectgarbage()
    blocking.wait(slow(6))
    assert.equal(3, taken)
  end)

  it("for a flight that ends with an error leaves the flight to itself", function()
    local own, deserted = slow(3, function() error("mine", 0) end), false
    function own.deserted() deserted = true end
    assert.has_error(function() blocking.await_flight(own) end, "mine")
    assert.is_true(deserted)
  end)

  it("for a flight moves on the others, and each once", function()
    local behind, own = slow(100), slow(5)
    blocking.launch(behind)
    blocking.launch(own)
    blocking.await_flight(own)
    assert.equal(5, own.taken)
    assert.equal(5, behind.taken)
  end)

  it("goes on when what it moves on starts more", function()
    local first, started = {}, {}   -- nobody else holds them
    for i = 1, 20 do
      first[i] = slow(3, function()
        for _ = 1, 5 do
          started[#started + 1] = slow(1)
          blocking.launch(started[#started])
        end
      end)
      blocking.launch(first[i])
    end
    blocking.wait(slow(10))
    for _, flight in ipairs(first) do assert.is_true(flight.done) end
    assert.equal(300, #started)
    for _, flight in ipairs(started) do assert.equal(1, flight.taken) end
  end)

  it("for a flight that rests moves on the others, every second", function()
    local behind, own = slow(100), {due = core.boot() + 1.3}
    function own.advance() own.done = core.boot() >= own.due end
    blocking.launch(behind)
    blocking.await_flight(own)
    assert.equal(2, behind.taken)
  end)

  it("moves on none that a forked child has of its parent", function()
    local behind = slow(100)
    blocking.launch(behind)
    local child = process.fork(function()
      blocking.wait(slow(5))
      return behind.taken == 0
    end)
    assert.equal(0, process.wait(child))
    blocking.wait(slow(5))
    assert.equal(4, behind.taken)
  end)

  it("for seconds lasts no less, and for none no time", function()
    local began = core.boot()
    blocking.wait(nil, 0)
    blocking.wait(nil, -60)
    local rested = core.boot()
    assert.is_true(rested - began < 30)
    blocking.wait(nil, 0.01)
    assert.is_true(core.boot() - rested >= 0.01)
  end)

  it("leaves the processor to others", function()
    local rests = {due = core.boot() + 0.6}
    function rests.advance() rests.done = core.boot() >= rests.due end
    local began = os.clock()
    blocking.wait(nil, 0.3)
    blocking.await_flight(rests)
    assert.is_true(os.clock() - began < 0.1)
  end)
end)
