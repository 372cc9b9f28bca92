--- kept.lua COUNT CLIENTS
--
-- A client's token(), when it has a fresh one: prints the nanoseconds of a call beyond the loop's
-- own, over COUNT calls, and the bytes of Lua heap for a client with its token, over CLIENTS of
-- them. Reads what warm.lua reads.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"

local count = assert(tonumber(arg[1]), "usage: kept.lua COUNT CLIENTS")
local clients = assert(tonumber(arg[2]), "usage: kept.lua COUNT CLIENTS")

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

local bank = new_client()
local began = core.boot()
for _ = 1, count do end
local empty = core.boot() - began
began = core.boot()
for _ = 1, count do bank:token() end
local full = core.boot() - began

local function heap()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count" * 1024
end

local kept = {}
for i = 1, clients do kept[i] = false end
local before = heap()
for i = 1, clients do kept[i] = new_client() end
local after = heap()

print(("%.3f %.0f"):format((full - empty) / count * 1e9, (after - before) / #kept))
