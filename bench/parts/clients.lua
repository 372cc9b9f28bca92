--- How cost grows with the number of clients that one process keeps, each with its own token.

local figures = require "bench.harness.figures"
local peers = require "bench.harness.peers"
local report = require "bench.harness.report"

local MANY = 100000

local function tell(count)
  return tostring(count):reverse():gsub("(%d%d%d)%f[%d]", "%1,"):reverse()
end

local function measurer(run, size)
  return function(peer)
    local kib, made, kept = peer:run_posting(run.bank, size.count, "clients", size.count,
      run.sizes.calls, size.parallel):match "(%S+) (%S+) (%S+)"
    return {size = kib / 1024, made = tonumber(made), kept = tonumber(kept)}
  end
end

-- Those that will be done in time, as the last size tells.
local function able(run, list, last, count)
  local chosen = {}
  for _, peer in ipairs(list) do
    local each = last and last[peer] and figures.median(last[peer].made) / 1e3
    if not last or each and each * count <= run.sizes.clients_patience then
      chosen[#chosen + 1] = peer
    end
  end
  return chosen
end

local function plot(run, list, points, figure, title, label)
  local lines = {}
  for _, peer in ipairs(list) do
    local line = {peer = peer}
    for _, point in ipairs(points) do
      local values = point.all[peer] and point.all[peer][figure]
      if values then line[#line + 1] = {point.count, (figures.median(values))} end
    end
    lines[#lines + 1] = line
  end
  run.plot_lines("clients-" .. figure, title, "clients in one process", label, lines)
end

-- Where there are so many that the process itself does not count.
local function judge_memory(run, count, all)
  local go = run.peers["go-oauth2"] and all[run.peers["go-oauth2"]]
  if count < MANY or not go then return end
  for _, name in ipairs{"lua5.4", "luajit"} do
    local ours = all[run.peers[name]]
    report.judge(("%s clients, the process: %s over Go x/oauth2"):format(tell(count), name),
      ours and figures.ratios(ours.size, go.size), 4)
  end
end

return function(run)
  report.heading "Many clients in one process"
  report.say(("Each client fetches a token of its own. A size leaves out the peers that would "
    .. "take longer than %d s to fetch the tokens."):format(run.sizes.clients_patience))
  local everyone = peers.with(run.peers, "clients")
  local list, points, last = everyone, {}, nil
  for _, size in ipairs(run.sizes.clients) do
    list = able(run, list, last, size.count)
    last = figures.alternate(list, size.rounds, measurer(run, size))
    points[#points + 1] = {count = size.count, all = last}
    report.say(("\nClients: %s, who fetch %s. Rounds: %d.\n"):format(tell(size.count),
      size.parallel == 1 and "one by one" or ("at most %d at a time"):format(size.parallel),
      size.rounds))
    report.figures(list, last, {{"made", "making one and fetching, ms", "%.3f"},
      {"kept", "a call that finds a token, ns", "%.1f"}, {"size", "the process, MiB", "%.1f"}})
    local alone = #list < #everyone and "the others take too long" or nil
    judge_memory(run, size.count, last)
    for _, figure in ipairs{"made", "kept", "size"} do
      report.judge_all_ahead(tell(size.count) .. " clients, " .. figure, list, last, figure, alone)
    end
  end
  plot(run, everyone, points, "kept", "A call that finds a token, of many clients", "nanoseconds")
  plot(run, everyone, points, "size", "Memory of a process with many clients", "MiB")
end
