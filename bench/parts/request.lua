--- Requests with a kept token: one after the other, many at once, many in a row, and a large one.

local figures = require "bench.harness.figures"
local peers = require "bench.harness.peers"
local report = require "bench.harness.report"
local turns = require "bench.harness.turns"

local BARE = 1.15        -- at most
local PARALLEL = 32
local MOST_MEMORY = 16   -- MiB, of a process that receives a large answer
local OURS = {"lua5.4", "luajit"}

-- Each of them gets one token, whatever it does with it.
local function measurer(run)
  local paces = {}
  return function(peer)
    paces[peer] = paces[peer] or peer:run("get-warm", 50):match "%S+" / 50
    local count = run.sizes.exchanges
      or math.max(50, math.min(5000, math.floor(run.sizes.seconds / paces[peer])))
    local wall, cpu = peer:run_posting(run.bank, 1, "get-warm", count):match "(%S+) (%S+)"
    return {wall = wall / count * 1e6, cpu = cpu / count * 1e6, rate = count / wall}
  end
end

local function compare_warm(run)
  report.say(("A GET of 1 KiB with a kept token, one after the other in one process; the first "
    .. "one is not counted. The bare loop does what each request needs: its URL, its header "
    .. "lines, and the header lines of the answer beside the body. What is judged against it are "
    .. "pairs of processes, as for warm exchanges: %d pairs for Lua 5.4, %d for LuaJIT.\n"):format(
    run.sizes.warm_duel_rounds.lua54, run.sizes.warm_duel_rounds.luajit))
  local list = peers.with(run.peers, "get-warm")
  local all = figures.alternate(list, run.sizes.rounds, measurer(run))
  report.figures(list, all, {{"rate", "requests a second", "%.0f"},
    {"wall", "wall, µs", "%.0f"}, {"cpu", "CPU, µs", "%.0f"}})
  run.plot{name = "request", title = "Requests in a second", unit = "a second; more is better",
    peers = list, all = all, figure = "rate", form = "%.0f", descending = true}
  report.judge_all_ahead("Requests, wall", list, all, "wall")
  local go = run.peers["go-oauth2"]
  for _, name in ipairs(OURS) do
    report.judge("Requests, wall: over Go x/oauth2, " .. name,
      go and figures.ratios(all[run.peers[name]].wall, all[go].wall), 1)
  end
end

local function duel_bare(run)
  local rounds, bare = run.sizes.warm_duel_rounds, run.peers.bare
  for name, count in pairs{["lua5.4"] = rounds.lua54, luajit = rounds.luajit} do
    report.judge("Requests, wall: over the bare loop, " .. name, bare and turns.ratios(
      run.peers[name], bare, run.out, count, run.sizes.warm_duel, "get-turns"), BARE)
  end
end

local function compare_many(run)
  local count = run.sizes.callers
  local function measure(peer)
    local before = run.bank:calls()
    local figure = peer:processes(run.out, 1, "get-many", count, PARALLEL)
    local calls = run.bank:calls() - before
    assert(calls == count, ("%s made %d requests"):format(peer.title, calls))
    return figure
  end
  report.say(("\nA process gets a token and makes %d such requests, at most %d at a time "
    .. "(%d rounds):\n"):format(count, PARALLEL, run.sizes.many_rounds))
  local list = peers.with(run.peers, "get-many")
  local all = figures.alternate(list, run.sizes.many_rounds, measure)
  report.figures(list, all, {{"wall", "wall, ms", "%.0f"}, {"cpu", "CPU, ms", "%.0f"},
    {"peak", "peak memory, MiB", "%.1f"}})
  local curl = run.peers.curl
  for _, name in ipairs(OURS) do
    report.judge("Many requests at once: wall time over curl --parallel, " .. name,
      curl and figures.ratios(all[run.peers[name]].wall, all[curl].wall), 1)
  end
end

local function compare_memory(run)
  local early, count = run.sizes.early, run.sizes.exchanges or run.sizes.requests
  local function measure(peer)
    local first, last = peer:run_posting(run.bank, 1, "get-memory", count, early)
      :match "(%d+)%s+(%d+)"
    return {early = first / 1024, late = last / 1024}
  end
  report.say(("\nPeak memory of one process after %d requests and after %d, once each:\n"):format(
    early, count))
  local list = peers.with(run.peers, "get-memory")
  local all = figures.alternate(list, 1, measure)
  report.figures(list, all, {{"early", ("after %d, MiB"):format(early), "%.1f"},
    {"late", "at the end, MiB", "%.1f"}})
  for _, name in ipairs(OURS) do
    local peer = run.peers[name]
    report.judge(("Peak memory, %d requests over %d: %s"):format(count, early, name),
      figures.ratios(all[peer].late, all[peer].early), 1.05)
  end
end

local function receive_into_file(run)
  local mib = run.sizes.large
  report.say(("\nAn answer of %d MiB into a file:\n"):format(mib))
  local rows, path = {}, run.out .. "/answer"
  for i, name in ipairs(OURS) do
    local peer = run.peers[name]
    local seconds, peak = peer:run("get-into", mib * 1048576, path):match "(%S+) (%d+)"
    os.remove(path)
    rows[i] = {peer.title, ("%.0f"):format(mib / seconds), ("%.1f"):format(peak / 1024)}
    report.judge(("Peak memory of an answer of %d MiB into a file, MiB: %s"):format(mib, name),
      {peak / 1024}, MOST_MEMORY)
  end
  report.table({"peer", "MiB a second", "peak memory, MiB"}, rows)
end

return function(run)
  report.heading "Requests"
  compare_warm(run)
  duel_bare(run)
  compare_many(run)
  compare_memory(run)
  receive_into_file(run)
end
