--- Two peers against each other, where a few percent count.
--
-- Both live through a whole round and take turns far shorter than a disturbance of the machine, on
-- one and the same processor, for another one may be slowed down by a neighbour all the while.

local figures = require "bench.harness.figures"
local process = require "bench.harness.process"

local turns = {}

-- The first processor and the last that may be used here, round by round.
local function processor(round)
  local file = assert(io.open "/proc/self/status")
  local first, last = file:read("*a"):match "Cpus_allowed_list:%s*(%d+)[^\n]-(%d*)\n"
  file:close()
  return round % 2 == 1 and first or last ~= "" and last or first
end

-- Starts one. What it returns has it take a turn and returns its wall seconds; or ends it.
local function start(peer, side, out, round, count)
  local fifo = ("%s/turns.%d"):format(out, side)
  process.output{"rm", "-f", fifo}
  process.output{"mkfifo", fifo}
  local said = assert(io.popen(process.quoted(peer:words({"taskset", "-c", processor(round)},
    "turns", count)) .. " < " .. process.quoted{fifo}))
  local asked = assert(io.open(fifo, "r+"))   -- which does not wait, and raises no SIGPIPE
  return function(ends)
    if ends then
      asked:close()
      return assert(said:close(), peer.title .. " failed at taking turns")
    end
    assert(asked:write "\n" and asked:flush())
    return assert(tonumber((said:read "*l" or ""):match "%S+"), peer.title .. " ended too early")
  end
end

local function round_of(one, other, out, round, size)
  local ask = {start(one, 1, out, round, size.exchanges),
    start(other, 2, out, round, size.exchanges)}
  local ratios = {}
  for turn = 1, size.turns do
    local first, took = turn % 2 + 1, {}
    took[first] = ask[first]()
    took[3 - first] = ask[3 - first]()
    ratios[turn] = took[1] / took[2]
  end
  ask[2](true)
  ask[1](true)   -- not before the other one, which has inherited what it is asked through
  return (figures.median(ratios))
end

--- For each round the ratio of one's wall time to the other's, the median of its turns.
---@param size table turns in a round and exchanges in a turn
function turns.ratios(one, other, out, rounds, size)
  local ratios = {}
  for round = 1, rounds do ratios[round] = round_of(one, other, out, round, size) end
  return ratios
end

return turns
