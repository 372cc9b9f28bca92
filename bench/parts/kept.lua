--- A call that finds a token.

local figures = require "bench.harness.figures"
local peers = require "bench.harness.peers"
local report = require "bench.harness.report"

return function(run)
  local calls, clients = run.sizes.calls, run.sizes.clients_kept
  local function measure(peer)
    local posts = peer.kind == "ours" and 1 + clients or 1
    local time, bytes = peer:run_posting(run.bank, posts, "kept", calls, clients)
      :match "(%S+) ?(%S*)"
    return {time = tonumber(time), bytes = tonumber(bytes)}
  end

  report.heading "A kept token"
  report.say(("The time of a call that has a fresh token, from %d calls. The time of an empty loop "
    .. "is subtracted.\n"):format(calls))
  local list = peers.with(run.peers, "kept")
  local all = figures.alternate(list, run.sizes.rounds, measure)
  report.figures(list, all, {{"time", "wall, ns", "%.1f"},
    {"bytes", "Lua heap of a client, bytes", "%.0f"}})
  run.plot{name = "kept", title = "A call that finds a token", unit = "nanoseconds; less is better",
    peers = list, all = all, figure = "time", form = "%.0f"}
  report.judge_all_ahead("A kept token", list, all, "time")
  local lua54, luajit, go = run.peers["lua5.4"], run.peers.luajit, run.peers["go-oauth2"]
  report.judge("A kept token, nanoseconds: Lua 5.4", all[lua54].time, 60)
  report.judge("A kept token, nanoseconds: LuaJIT", all[luajit].time, 30)
  local function over_go(peer)
    return go and figures.ratios(all[peer].time, all[go].time)
  end
  report.judge("A kept token: LuaJIT over Go", over_go(luajit), 0.5)
  report.judge("A kept token: Lua 5.4 over Go", over_go(lua54), 1)
  for _, peer in ipairs{lua54, luajit} do
    report.judge("A client with its token, bytes: " .. peer.title, all[peer].bytes, 4096)
  end
end
