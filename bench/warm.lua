--- warm.lua COUNT [EARLY]
--
-- The warm peer of corebank-auth: sequential authenticates on a kept connection. Reads
-- COREBANK_BASE_URL, COREBANK_CLIENT_ID, COREBANK_CLIENT_SECRET and COREBANK_CA_FILE, makes one
-- call that is not counted, then COUNT more, and prints the seconds they took: wall, CPU.
-- With EARLY it prints peak memory instead, in KiB: after EARLY calls and after all.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"

local count = assert(tonumber(arg[1]), "usage: warm.lua COUNT [EARLY]")
local early = tonumber(arg[2])

-- Given, not left to the environment, as in the README's example.
local given = {
  baseUrl = os.getenv "COREBANK_BASE_URL",
  clientId = os.getenv "COREBANK_CLIENT_ID",
  clientSecret = os.getenv "COREBANK_CLIENT_SECRET",
  caFile = os.getenv "COREBANK_CA_FILE",
}

local function peak()
  local file = assert(io.open("/proc/self/status"))
  local kib = file:read("*a"):match "VmHWM:%s*(%d+) kB"
  file:close()
  return kib
end

assert(auth.authenticate(given))
local early_peak
local wall, cpu = core.boot(), os.clock()
for i = 1, count do
  assert(auth.authenticate(given))
  if i == early then early_peak = peak() end
end
wall, cpu = core.boot() - wall, os.clock() - cpu
if early then
  print(early_peak, peak())
else
  print(("%.9f %.9f"):format(wall, cpu))
end
