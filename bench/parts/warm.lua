--- One exchange after the other, on a kept connection where the peer keeps one.

local figures = require "bench.harness.figures"
local peers = require "bench.harness.peers"
local process = require "bench.harness.process"
local report = require "bench.harness.report"
local turns = require "bench.harness.turns"

local BARE, ANEW = 1.15, 1.25   -- at most

-- Microseconds of an exchange, over as many as take the seconds that sizes.lua says.
local function measurer(run)
  return function(peer)
    local count = run.sizes.exchanges
      or math.max(50, math.min(5000, math.floor(run.sizes.seconds / run.pace(peer))))
    local wall, cpu = peer:run_posting(run.bank, count + 1, "warm", count):match "(%S+) (%S+)"
    run.paces[peer] = wall / count
    return {wall = wall / count * 1e6, cpu = cpu / count * 1e6, rate = count / wall}
  end
end

local function under_callgrind(peer, count)
  return peer:words(
    {"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"}, "warm", count)
end

local function collected(said)
  return assert(tonumber(said:match "Collected : (%d+)"), said)
end

-- What start and end cost falls out of the difference. A count is none the worse for company.
local function count_instructions(run)
  local few, many = run.sizes.counted[1], run.sizes.counted[2]
  return function(peer)
    local said = process.outputs{under_callgrind(peer, few), under_callgrind(peer, many)}
    return {instructions = (collected(said[2]) - collected(said[1])) / (many - few)}
  end
end

local function counted(run)
  local ours, bare = run.peers["lua5.4"], run.peers.bare
  report.say(("\nInstructions of an exchange, by callgrind, %d rounds:\n"):format(
    run.sizes.counted_rounds))
  local list = {ours, run.peers.luajit, bare}
  local all = figures.alternate(list, run.sizes.counted_rounds, count_instructions(run))
  report.figures(list, all, {{"instructions", "instructions", "%.0f"}})
  report.say(("\nLua 5.4 over the bare loop: %.3f\n"):format(figures.median(
    figures.ratios(all[ours].instructions, all[bare].instructions))))
end

-- A call that reads its options anew, beside peers that keep what they have prepared.
local function judge_anew(run, all)
  local anew = all[run.peers["lua5.4-anew"]]
  for _, name in ipairs{"go-oauth2", "lua-http"} do
    local other = run.peers[name] and all[run.peers[name]]
    report.judge("Warm exchanges, wall: auth.authenticate{…} anew over " .. name,
      other and figures.ratios(anew.wall, other.wall), ANEW)
  end
end

return function(run)
  report.heading "Warm exchanges"
  local size, rounds = run.sizes.warm_duel, run.sizes.warm_duel_rounds
  report.say(("One process makes one call after the other. The first call is not counted. "
    .. "corebank-auth calls the authenticate() of one client; the row \"options anew\" calls "
    .. "auth.authenticate{…}.\n\n"
    .. "The comparisons with the bare loop are made with pairs of processes. Both processes of a "
    .. "pair run on one processor. Each makes %d exchanges, and they take turns after every %d. "
    .. "There are %d pairs for Lua 5.4, and %d for LuaJIT. There are %d pairs for each of them "
    .. "with the loop that also reads the token from the answer. There are %d pairs that compare "
    .. "the form of RFC 6749 with JSON, because some peers support only the form. A slow machine "
    .. "takes fewer pairs.\n")
    :format(size.turns * size.exchanges, size.exchanges, rounds.lua54, rounds.luajit,
      rounds.token, rounds.form))
  local list = peers.with(run.peers, "warm")
  local all = figures.alternate(list, run.sizes.rounds, measurer(run))
  report.figures(list, all, {{"rate", "exchanges a second", "%.0f"},
    {"wall", "wall, µs", "%.0f"}, {"cpu", "CPU, µs", "%.0f"}})
  run.plot{name = "warm", title = "Warm exchanges in a second", unit = "a second; more is better",
    peers = list, all = all, figure = "rate", form = "%.0f", descending = true}
  report.judge_all_ahead("Warm exchanges, wall", list, all, "wall")
  report.judge_all_ahead("Warm exchanges, CPU", list, all, "cpu")
  judge_anew(run, all)
  for _, peer in ipairs(list) do run.paces[peer] = figures.median(all[peer].wall) / 1e6 end
  local function duel(name, limit, count)
    local one, other = run.peers[name], run.peers[limit]
    return one and other and turns.ratios(one, other, run.out, count, size)
  end
  report.judge("Warm exchanges, wall: Lua 5.4 over the bare loop",
    duel("lua5.4", "bare", rounds.lua54), BARE)
  report.judge("Warm exchanges, wall: LuaJIT over the bare loop",
    duel("luajit", "bare", rounds.luajit), BARE)
  report.judge("Warm exchanges, wall: Lua 5.4 over the bare loop that takes the token out",
    duel("lua5.4", "bare-token", rounds.token), BARE)
  report.judge("Warm exchanges, wall: LuaJIT over the bare loop that takes the token out",
    duel("luajit", "bare-token", rounds.token), BARE)
  report.judge("The sandbox's time for a form over that for JSON, bare loops",
    duel("bare-form", "bare", rounds.form), 1.05, 0.95)
  counted(run)
end
