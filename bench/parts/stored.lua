--- The command, when its token is in the store: a whole process, beside what it cannot do without.

local figures = require "bench.harness.figures"
local process = require "bench.harness.process"
local report = require "bench.harness.report"

local LOAD_LIBCURL = 'assert(package.loadlib("libcurl.so.4", "*"))'

local function commands(run, store)
  return {
    {title = "lua5.4 -e ''", words = {"lua5.4", "-e", ""}},
    {title = "the same, and loading libcurl", words = {"lua5.4", "-e", LOAD_LIBCURL}},
    {title = "corebank-auth token", words = {"lua5.4", "bin/corebank-auth", "token",
      "--ca-file", os.getenv "COREBANK_CA_FILE", "--store-dir", store}},
  }, {"env", ("LUA_CPATH=%s/../lua5.4-bench/?.so;;"):format(run.out)}
end

return function(run)
  report.heading "The command, with a token in the store"
  local store = process.first_line(process.output{"mktemp", "-d"})
  local list, environment = commands(run, store)
  local command = list[3]
  process.output(process.join(environment, command.words))   -- the one that asks the bank
  local all = figures.alternate(list, run.sizes.rounds, function(each)
    local wall, cpu = {}, {}
    local output = process.output(process.join(environment,
      {run.out .. "/spawn", run.sizes.processes[1]}, each.words))
    for w, c in output:gmatch "(%S+) (%S+) %d+\n" do
      wall[#wall + 1], cpu[#cpu + 1] = w * 1e3, c * 1e3
    end
    return {wall = figures.median(wall), cpu = figures.median(cpu)}
  end)
  process.output{"rm", "-rf", store}
  report.figures(list, all, {{"wall", "wall, ms", "%.2f"}, {"cpu", "CPU, ms", "%.2f"}})
  report.judge("(f) corebank-auth token: wall time over Lua that loads libcurl",
    figures.ratios(all[command].wall, all[list[2]].wall), 1.5)
end
