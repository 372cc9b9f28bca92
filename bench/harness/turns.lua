--- Two peers against each other, where a few percent count.
--
-- Both live through a whole round and take turns far shorter than a disturbance of the machine, on
-- one and the same processor, for another one may be slowed down by a neighbour all the while.

local figures = require "bench.harness.figures"
local files = require "spec.support.files"
local process = require "bench.harness.process"
local socket = require "socket"

local turns = {}

-- The first processor and the last that may be used here, round by round.
local function processor(round)
  local first, last = files.content "/proc/self/status"
    :match "Cpus_allowed_list:%s*(%d+)[^\n]-(%d*)\n"
  return round % 2 == 1 and first or last ~= "" and last or first
end

-- Starts one, which then waits for its turns.
local function start(peer, mode, side, out, round, count)
  local fifo = ("%s/turns.%d"):format(out, side)
  process.output{"rm", "-f", fifo}
  process.output{"mkfifo", fifo}
  local said = assert(io.popen(process.quoted(peer:words({"taskset", "-c", processor(round)},
    mode, count)) .. " < " .. process.quoted{fifo}))
  local asked = assert(io.open(fifo, "r+"))   -- which does not wait, and raises no SIGPIPE
  return {title = peer.title, asked = asked, said = said}
end

-- Returns its wall seconds.
local function take_turn(player)
  assert(player.asked:write "\n" and player.asked:flush())
  return assert(player.said:read "*n", player.title .. " ended too early")
end

local function stop(player)
  player.asked:close()
  assert(player.said:close(), player.title .. " failed at taking turns")
end

local function round_of(one, other, mode, out, round, size)
  local players = {start(one, mode, 1, out, round, size.exchanges),
    start(other, mode, 2, out, round, size.exchanges)}
  local ratios = {}
  for turn = 1, size.turns do
    local first, took = turn % 2 + 1, {}
    took[first] = take_turn(players[first])
    took[3 - first] = take_turn(players[3 - first])
    ratios[turn] = took[1] / took[2]
  end
  stop(players[2])
  stop(players[1])   -- not before the other one, which has inherited what it is asked through
  return (figures.median(ratios))
end

--- For each round the ratio of one's wall time to the other's, the median of its turns.
---@param size table turns in a round and exchanges in a turn; seconds that a round may take on the
--- average, or else there are fewer of them, but at least `least`
---@param mode string? a peer's mode that takes turns; default "turns"
function turns.ratios(one, other, out, rounds, size, mode)
  local ratios, over = {}, socket.gettime() + rounds * size.seconds
  for round = 1, rounds do
    if round > size.least and socket.gettime() > over then break end
    ratios[round] = round_of(one, other, mode or "turns", out, round, size)
  end
  return ratios
end

return turns
