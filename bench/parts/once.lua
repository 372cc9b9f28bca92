--- One process: what it costs to start, and to get one token.

local figures = require "bench.harness.figures"
local peers = require "bench.harness.peers"
local process = require "bench.harness.process"
local report = require "bench.harness.report"

-- The medians of a round's runs: milliseconds, and MiB at the peak.
local function measurer(run, mode)
  return function(peer)
    local wall, cpu, peak = {}, {}, {}
    local output = process.output(peer:words({run.out .. "/spawn", run.sizes.processes}, mode))
    for w, c, kib in output:gmatch "(%S+) (%S+) (%d+)\n" do
      wall[#wall + 1], cpu[#cpu + 1], peak[#peak + 1] = w * 1e3, c * 1e3, kib / 1024
    end
    return {wall = figures.median(wall), cpu = figures.median(cpu), peak = figures.median(peak)}
  end
end

local COLUMNS = {{"wall", "wall, ms", "%.2f"}, {"cpu", "CPU, ms", "%.2f"},
  {"peak", "peak memory, MiB", "%.1f"}}

local function compare(run, mode, what)
  local list = peers.with(run.peers, mode)
  local all = figures.alternate(list, run.sizes.rounds, measurer(run, mode))
  report.figures(list, all, COLUMNS)
  report.judge_all_ahead(what, list, all, "wall")
  run.plot_bars(mode, what .. ": wall time", "milliseconds", list, all, "wall", "%.1f")
  return all
end

return function(run)
  report.heading "One process, one token"
  report.say(("A process that starts, gets a token over TLS and ends; %d in a round.\n"):format(
    run.sizes.processes))
  local all = compare(run, "once", "One process, one token")
  local ours, curl = run.peers["lua5.4"], run.peers.curl
  if curl then
    local ratios = figures.ratios(all[ours].wall, all[curl].wall)
    report.judge("(a) one process: wall time, lua5.4 over curl", ratios, 1.25)
    report.judge("One process, one token: Lua 5.4 over curl", ratios, 1.2)
  end

  report.heading "Start-up"
  report.say "A process that loads what the program needs (`require`, `import`), and ends.\n"
  compare(run, "start", "Start-up")
end
