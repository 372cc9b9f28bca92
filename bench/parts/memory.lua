--- What is held after many exchanges.

local figures = require "bench.harness.figures"
local peers = require "bench.harness.peers"
local report = require "bench.harness.report"

local WHOLE = 10000

return function(run)
  local early = run.sizes.early
  local done = {}
  local function measure(peer)
    local count = run.sizes.exchanges
      or math.min(WHOLE, math.floor(run.sizes.patience / run.pace(peer) / 100) * 100)
    count = math.max(count, early)
    local first, last = peer:run_posting(run.bank, count, "memory", count, early)
      :match "(%d+)%s+(%d+)"
    done[peer] = count
    return {early = first / 1024, late = last / 1024, count = count}
  end

  report.heading "Memory"
  report.say(("Peak memory of one process after %d exchanges and after %d, measured once each. A "
    .. "peer that is too slow for this number makes fewer.\n"):format(early, WHOLE))
  local list = peers.with(run.peers, "memory")
  local all = figures.alternate(list, 1, measure)
  report.figures(list, all, {{"early", ("after %d, MiB"):format(early), "%.1f"},
    {"late", "at the end, MiB", "%.1f"}, {"count", "exchanges", "%d"}})
  report.judge_all_ahead("Peak memory", list, all, "late")
  for _, name in ipairs{"lua5.4", "luajit"} do
    local peer = run.peers[name]
    report.judge(("Peak memory, %d exchanges over %d: %s"):format(done[peer], early, name),
      figures.ratios(all[peer].late, all[peer].early), 1.05)
  end
end
