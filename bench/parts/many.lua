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
  report.say(("A process that gets %d tokens, each by a POST of its own, %d at a time.\n"):format(
    count, PARALLEL))
  local list = peers.with(run.peers, "many")
  local all = figures.alternate(list, run.sizes.rounds, measure)
  report.figures(list, all, {{"wall", "wall, ms", "%.0f"}, {"cpu", "CPU, ms", "%.0f"},
    {"peak", "peak memory, MiB", "%.1f"}})
  local curl = run.peers.curl
  for _, peer in ipairs(curl and list or {}) do
    if peer.kind == "ours" then
      report.judge("Many at once: wall time over curl --parallel, " .. peer.name,
        figures.ratios(all[peer].wall, all[curl].wall), 1.1)
    end
  end
end
