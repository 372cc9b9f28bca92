--- many.lua COUNT
--
-- COUNT clients in one process, each with a token that it fetched itself: prints the KiB of the
-- process that each takes, all told, and the milliseconds for making it and fetching its token.
-- Reads what warm.lua reads.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"

local count = assert(tonumber(arg[1]), "usage: many.lua COUNT")

local function resident()
  collectgarbage()
  collectgarbage()
  local file = assert(io.open("/proc/self/status"))
  local kib = file:read("*a"):match "VmRSS:%s*(%d+) kB"
  file:close()
  return tonumber(kib)
end

local function new_client()
  local bank = auth.client{
    baseUrl = os.getenv "COREBANK_BASE_URL",
    clientId = os.getenv "COREBANK_CLIENT_ID",
    clientSecret = os.getenv "COREBANK_CLIENT_SECRET",
    caFile = os.getenv "COREBANK_CA_FILE",
  }
  assert(bank:token())
  return bank
end

new_client():close()   -- what all share is there from now on
local banks = {}
for i = 1, count do banks[i] = false end
local before, began = resident(), core.boot()
for i = 1, count do banks[i] = new_client() end
local took = core.boot() - began
local after = resident()

local seen = {}
for _, bank in ipairs(banks) do
  local token = assert(bank:peek(), "a client has lost its token")
  assert(not seen[token.accessToken], "two clients have one token")
  seen[token.accessToken] = true
end
print(("%.2f %.3f"):format((after - before) / count, took / count * 1e3))
