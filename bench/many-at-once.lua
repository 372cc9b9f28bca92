--- many-at-once.lua [ROUNDS [LUA]]
--
-- 1,000 tokens, 32 at a time: one process of authenticateAll, by LUA (lua5.4), beside one of
-- curl --parallel, in turn. Prints the medians of the wall times and of the rounds' ratios. Reads
-- what every peer reads, and where LUA finds the core from BENCH_CPATH, if that is another place.
--
-- many-at-once.lua --once COUNT PARALLEL gets the tokens, in this process.

local PARALLEL, COUNT = 32, 1000

local function setting(name)
  return assert(os.getenv(name), name .. " is not set")
end

local function once(count, parallel)
  local auth = require "corebank.auth"
  local list = {}
  for i = 1, count do
    list[i] = {
      baseUrl = setting "COREBANK_BASE_URL", clientId = setting "COREBANK_CLIENT_ID",
      clientSecret = setting "COREBANK_CLIENT_SECRET", caFile = setting "COREBANK_CA_FILE",
    }
  end
  for _, result in ipairs(auth.authenticateAll(list, {parallel = parallel})) do
    assert(result.token, result.message)
  end
end

if arg[1] == "--once" then return once(tonumber(arg[2]), tonumber(arg[3])) end

local core = require "corebank.auth.core"

local function median(values)
  local sorted = {}
  for i, value in ipairs(values) do sorted[i] = value end
  table.sort(sorted)
  local middle = (#sorted + 1) / 2
  return (sorted[math.floor(middle)] + sorted[math.ceil(middle)]) / 2
end

-- The same for curl: its own way to say it many times. `path` is where it reads that.
local function write_curl_config(path)
  local file = assert(io.open(path, "w"))
  file:write(("cacert = %q\n"):format(setting "COREBANK_CA_FILE"),
    'header = "Content-Type: application/json"\n',
    ([[data = "{\"clientId\":\"%s\",\"clientSecret\":\"%s\"}"]] .. "\n"):format(
      setting "COREBANK_CLIENT_ID", setting "COREBANK_CLIENT_SECRET"))
  for _ = 1, COUNT do
    file:write(('url = "%s/api/auth/v1/authenticate"\noutput = "/dev/null"\n'):format(
      setting "COREBANK_BASE_URL"))
  end
  file:close()
end

local function seconds_of(command)
  local began = core.boot()
  local ok = os.execute(command)
  assert(ok == true or ok == 0, command)
  return core.boot() - began
end

local rounds = tonumber(arg[1]) or 15
local lua = arg[2] or "lua5.4"
local path = os.getenv "BENCH_CPATH" or os.getenv "LUA_CPATH"
local config = os.tmpname()
write_curl_config(config)
-- The tool draws a meter for many transfers whatever it is told.
local curl = ("curl --disable --silent --show-error --fail --parallel --parallel-max %d "
  .. "--config %s >/dev/null 2>&1"):format(PARALLEL, config)
local ours = ("LUA_CPATH='%s' %s bench/many-at-once.lua --once %d %d"):format(path, lua, COUNT,
  PARALLEL)

local mine, theirs, ratios = {}, {}, {}
for i = 1, rounds do
  theirs[i], mine[i] = seconds_of(curl), seconds_of(ours)
  ratios[i] = mine[i] / theirs[i]
end
print(("%s: %.3f s, curl %.3f s, ratio %.2f"):format(lua, median(mine), median(theirs),
  median(ratios)))
os.remove(config)
