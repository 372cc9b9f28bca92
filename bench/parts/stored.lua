--- The command, when its token is in the store: a whole process, beside what it cannot do without.

local figures = require "bench.harness.figures"
local peers = require "bench.harness.peers"
local process = require "bench.harness.process"
local report = require "bench.harness.report"

local LOAD_LIBCURL = 'assert(package.loadlib("libcurl.so.4", "*"))'

local function commands(run, store)
  local environment = {("LUA_CPATH=%s/../lua5.4-bench/?.so;;"):format(run.out)}
  return {
    peers.new{title = "lua5.4 -e ''", stored = {"lua5.4", "-e", ""}},
    peers.new{title = "the same, and loading libcurl", stored = {"lua5.4", "-e", LOAD_LIBCURL}},
    peers.new{title = "corebank-auth token", environment = environment,
      stored = {"lua5.4", "bin/corebank-auth", "token",
        "--ca-file", os.getenv "COREBANK_CA_FILE", "--store-dir", store}},
  }
end

return function(run)
  report.heading "The command, with a token in the store"
  report.say(("Each program ran %d times. The programs took turns.\n"):format(
    run.sizes.duel_rounds))
  local store = process.first_line(process.output{"mktemp", "-d"})
  local list = commands(run, store)
  local command = list[3]
  command:run "stored"   -- the one that asks the bank
  local all = figures.alternate(list, run.sizes.duel_rounds, function(each)
    return each:processes(run.out, 1, "stored")
  end)
  process.output{"rm", "-rf", store}
  report.figures(list, all, {{"wall", "wall, ms", "%.2f"}, {"cpu", "CPU, ms", "%.2f"}})
  report.judge("The command with a stored token, wall: over a Lua that loads libcurl",
    figures.ratios(all[command].wall, all[list[2]].wall), 1.5)
end
