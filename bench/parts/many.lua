--- Many credentials at once: a process that gets all their tokens, some at a time.

local figures = require "bench.harness.figures"
local peers = require "bench.harness.peers"
local report = require "bench.harness.report"

local PARALLEL = 32

return function(run)
  local count = run.sizes.callers
  local function measure(peer)
    local before = run.bank:posts()
    local figure = peer:processes(run.out, 1, "many", count, PARALLEL)
    local posts = run.bank:posts() - before
    assert(posts == count, ("%s made %d POSTs"):format(peer.title, posts))
    return figure
  end

  report.heading "Many credentials at once"
  report.say(("A process gets %d tokens, each by a POST of its own, at most %d at a time "
    .. "(%d rounds).\n"):format(count, PARALLEL, run.sizes.many_rounds))
  local list = peers.with(run.peers, "many")
  local all = figures.alternate(list, run.sizes.many_rounds, measure)
  report.figures(list, all, {{"wall", "wall, ms", "%.0f"}, {"cpu", "CPU, ms", "%.0f"},
    {"peak", "peak memory, MiB", "%.1f"}})
  local curl = run.peers.curl
  for _, name in ipairs{"lua5.4", "luajit"} do
    report.judge("Many at once: wall time over curl --parallel, " .. name,
      curl and figures.ratios(all[run.peers[name]].wall, all[curl].wall), 1)
  end
end
