--- JSON, written and read: auth.json beside lua-cjson and dkjson, in processes of their own.

local figures = require "bench.harness.figures"
local process = require "bench.harness.process"
local report = require "bench.harness.report"

local LIBRARIES = {"ours", "cjson", "dkjson"}
local TITLES = {ours = "auth.json", cjson = "lua-cjson", dkjson = "dkjson"}

-- The peer's environment, with the system's folders behind ours: the other libraries are there.
local function environment_of(ours)
  local environment = {}
  for i, setting in ipairs(ours.environment) do
    environment[i] = setting:find "^LUA_C?PATH=" and setting .. ";;" or setting
  end
  return environment
end

-- One library under one Lua: what figures.alternate takes for a peer.
local function new_peer(lua, ours, library)
  local words = process.join({"env"}, environment_of(ours),
    {lua, "bench/modes/json.lua", library})
  return {title = ("%s, %s"):format(TITLES[library], lua), library = library, words = words}
end

return function(run)
  local function measure(peer)
    local said = process.output(process.join(peer.words, {run.sizes.documents}))
    local write, read = said:match "(%S+) (%S+) %d+"
    return {write = tonumber(write), read = tonumber(read)}
  end

  report.heading "JSON"
  report.say(("A page of 50 transactions, about 9 KiB, is written and read %d times. The other "
    .. "libraries do not check UTF-8. They accept a name twice in an object, and round numbers "
    .. "that a double cannot hold.\n"):format(run.sizes.documents))
  for _, lua in ipairs{"lua5.4", "luajit"} do
    local list, by_name = {}, {}
    for i, library in ipairs(LIBRARIES) do
      list[i] = new_peer(lua, run.peers[lua], library)
      by_name[library] = list[i]
    end
    local all = figures.alternate(list, run.sizes.rounds, measure)
    report.figures(list, all, {{"write", "writing, us", "%.0f"}, {"read", "reading, us", "%.0f"}})
    report.say ""
    for _, pair in ipairs{{"write", "writing"}, {"read", "reading"}} do
      local figure, title = pair[1], pair[2]
      local ours = all[by_name.ours][figure]
      report.judge(("JSON, %s over dkjson: %s"):format(title, lua),
        figures.ratios(ours, all[by_name.dkjson][figure]), 1)
      report.say(("- %s, %s: auth.json over lua-cjson %s"):format(lua, title,
        figures.with_spread(figures.ratios(ours, all[by_name.cjson][figure]), "%.2f")))
    end
    report.say ""
  end
end
