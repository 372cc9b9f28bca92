-- A fleet through random faults: messages are lost, clocks are wrong, Redis comes and goes. With
-- CBA_LONG=1 it has 10,000 hosts.

local randomly = require "spec.support.random"
local simulation = require "spec.support.simulation"

local HOSTS, PERIODS = os.getenv "CBA_LONG" and 10000 or 100, 12

describe("a fleet #slow", function()
  it("hands out no expired token, and a host asks the bank once a lifetime at most (CBA_SEED="
    .. randomly.seed .. ")", function()
    simulation.run(HOSTS, PERIODS, randomly.generator())
  end)
end)
