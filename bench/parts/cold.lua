--- Many callers at once, and no token yet.

local figures = require "bench.harness.figures"
local peers = require "bench.harness.peers"
local report = require "bench.harness.report"

return function(run)
  local callers = run.sizes.callers
  local function measure(peer)
    local before = run.bank:posts()
    local wall, cpu = peer:run("cold", callers):match "(%S+) (%S+)"
    return {wall = wall * 1e3, cpu = cpu * 1e3, posts = run.bank:posts() - before}
  end

  report.heading "Many cold callers at once"
  report.say(("%d callers in one process need a token at the same time, and there is none. The "
    .. "figures are the number of POSTs at the bank, and the time until the last caller has a "
    .. "token.\n"):format(callers))
  local list = peers.with(run.peers, "cold")
  local all = figures.alternate(list, run.sizes.rounds, measure)
  report.figures(list, all, {{"posts", "POSTs", "%d"}, {"wall", "wall, ms", "%.1f"},
    {"cpu", "CPU, ms", "%.1f"}})
  run.plot{name = "cold", title = ("%d cold callers: until the last has its token"):format(callers),
    unit = "milliseconds, logarithmic; less is better", peers = list, all = all, figure = "wall",
    form = "%.0f ms", logarithmic = true}
  report.judge_all_ahead("Cold callers, wall", list, all, "wall")
  report.judge_all_ahead("Cold callers, CPU", list, all, "cpu")
  report.judge_all_ahead("Cold callers, POSTs", list, all, "posts")
end
