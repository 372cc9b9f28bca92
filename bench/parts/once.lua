--- One process: what it costs to start, and to get one token.

local figures = require "bench.harness.figures"
local peers = require "bench.harness.peers"
local report = require "bench.harness.report"

-- How many processes a round has: fewer of those that take long.
local function number(run, peer, mode)
  local most, least = run.sizes.processes[1], run.sizes.processes[2]
  local wall = peer:processes(run.out, 1, mode).wall
  return math.max(least, math.min(most, math.floor(500 / wall)))
end

local function measurer(run, mode)
  local numbers = {}
  return function(peer)
    numbers[peer] = numbers[peer] or number(run, peer, mode)
    return peer:processes(run.out, numbers[peer], mode)
  end
end

local COLUMNS = {{"wall", "wall, ms", "%.2f"}, {"cpu", "CPU, ms", "%.2f"},
  {"peak", "peak memory, MiB", "%.1f"}}

-- What the processes that are measured print goes nowhere.
local function check_tokens(list)
  for _, peer in ipairs(list) do
    assert(peer:run "once":find("canary-token-", 1, true), peer.title .. " got no token")
  end
end

local function compare(run, mode, what)
  local list = peers.with(run.peers, mode)
  if mode == "once" then check_tokens(list) end
  local all = figures.alternate(list, run.sizes.rounds, measurer(run, mode))
  report.figures(list, all, COLUMNS)
  report.judge_all_ahead(what .. ", wall", list, all, "wall")
  report.judge_all_ahead(what .. ", CPU", list, all, "cpu")
  report.judge_all_ahead(what .. ", peak memory", list, all, "peak")
  run.plot{name = mode, title = what .. ": wall time", unit = "milliseconds; less is better",
    peers = list, all = all, figure = "wall", form = "%.1f"}
end

-- The ratios of one's wall time to the other's; nil where one of them is not there.
local function duel(run, one, other)
  if not (one and other) then return nil end
  local all = figures.alternate({one, other}, run.sizes.duel_rounds, function(peer)
    return peer:processes(run.out, 1, "once")
  end)
  return figures.ratios(all[one].wall, all[other].wall)
end

return function(run)
  report.heading "One process, one token"
  report.say(("A process that starts, gets a token over TLS and ends. A round has %d to %d of "
    .. "these processes, and its value is their median. The comparison with curl has %d processes "
    .. "of each, which take turns.\n")
    :format(run.sizes.processes[2], run.sizes.processes[1], run.sizes.duel_rounds))
  compare(run, "once", "One process, one token")
  report.judge("One process, one token, wall: Lua 5.4 over curl",
    duel(run, run.peers["lua5.4"], run.peers.curl), 1.3)

  report.heading "Start-up"
  report.say "A process that loads what the program needs (`require`, `import`), and ends.\n"
  compare(run, "start", "Start-up")
end
