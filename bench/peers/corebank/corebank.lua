-- This library. Reads COREBANK_BASE_URL, COREBANK_CLIENT_ID, COREBANK_CLIENT_SECRET and
-- COREBANK_CA_FILE, as every peer does.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local modes = require "modes"

-- Given, not left to the environment. A client makes all calls; with BENCH_ANEW set each is an
-- auth.authenticate{…} with a table of its own.
local given = {
  baseUrl = os.getenv "COREBANK_BASE_URL",
  clientId = os.getenv "COREBANK_CLIENT_ID",
  clientSecret = os.getenv "COREBANK_CLIENT_SECRET",
  caFile = os.getenv "COREBANK_CA_FILE",
}

local function copy()
  local own = {}
  for name, value in pairs(given) do own[name] = value end
  return own
end

local function new_client()
  local bank = auth.client(given)
  assert(bank:token())
  return bank
end

local function slots(count)
  local list = {}
  for i = 1, count do list[i] = false end
  return list
end

local function heap()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count" * 1024
end

-- Nanoseconds of a call beyond the loop's own, and the bytes of Lua heap for a client with its
-- token, over `clients` of them.
local function kept(count, clients)
  local bank = new_client()
  local began = core.boot()
  for _ = 1, count do end
  local empty = core.boot() - began
  began = core.boot()
  for _ = 1, count do bank:token() end
  local full = core.boot() - began

  local banks = slots(clients)
  local before = heap()
  for i = 1, clients do banks[i] = new_client() end
  return ("%.3f %.0f"):format((full - empty) / count * 1e9, (heap() - before) / #banks)
end

local function check_all_differ(banks)
  local seen = {}
  for _, bank in ipairs(banks) do
    local token = assert(bank:peek(), "a client has lost its token")
    assert(not seen[token.accessToken], "two clients have one token")
    seen[token.accessToken] = true
  end
end

-- One after the other, or all, by so many requests at a time.
local function fill(banks, parallel)
  if parallel == 1 then
    for i = 1, #banks do banks[i] = new_client() end
    return
  end
  for i = 1, #banks do banks[i] = auth.client(given) end
  for _, result in ipairs(auth.authenticateAll(banks, {parallel = parallel})) do
    assert(result.token, result.message)
  end
end

-- KiB of the process, milliseconds for making a client and fetching its token, nanoseconds of a
-- call that finds a token, taking the clients in turn.
local function clients(count, calls, parallel)
  local banks = slots(count)
  local began = core.boot()
  fill(banks, parallel)
  local made = (core.boot() - began) / count
  local size = modes.kib "VmRSS"
  local turns = math.max(1, math.floor(calls / count))
  began = core.boot()
  for _ = 1, turns do
    for i = 1, count do banks[i]:token() end
  end
  local took = (core.boot() - began) / (turns * count)
  check_all_differ(banks)
  return ("%d %.4f %.2f"):format(size, made * 1e3, took * 1e9)
end

-- For each its own credentials.
local function many(count, parallel)
  local list = slots(count)
  for i = 1, count do
    list[i] = {clientId = given.clientId, clientSecret = given.clientSecret}
  end
  for _, result in ipairs(auth.authenticateAll(list, {baseUrl = given.baseUrl,
    caFile = given.caFile, parallel = parallel})) do
    assert(result.token, result.message)
  end
end

-- A request with a kept token, for what BENCH_GET names.
local keeper
local path, name, size = os.getenv "BENCH_GET":match "^(.-)%?(%w+)=(%d+)$"

local function page(bytes)
  return {path = path, query = {[name] = bytes or tonumber(size)}}
end

local function get()
  keeper = keeper or auth.client(given)
  local reply, message = keeper:request(page())
  if not reply then error(message) end
  assert(reply.ok and #reply.body == 1024)
end

local function get_many(count, parallel)
  local list = slots(count)
  for i = 1, count do list[i] = page() end
  for _, result in ipairs(auth.client(given):requestAll(list, {parallel = parallel})) do
    assert(result.reply and result.reply.ok, result.message)
  end
end

-- Seconds, and KiB at the peak.
local function get_into(bytes, file)
  local client = auth.client(given)
  assert(client:token())
  local began = core.boot()
  local large = page(bytes)
  large.into, large.timeout = file, 60
  local reply, message = client:request(large)
  assert(reply and reply.ok, message)
  return ("%.3f %d"):format(core.boot() - began, modes.kib "VmHWM")
end

local bank

local function exchange()
  bank = bank or auth.client(given)
  local token, message = bank:authenticate()
  return token or error(message)
end

local function exchange_anew()
  local token, message = auth.authenticate(copy())
  return token or error(message)
end

modes.run{
  exchange = os.getenv "BENCH_ANEW" and exchange_anew or exchange,
  get = get,
  now = core.boot,
  kept = kept,
  clients = clients,
  many = many,
  ["get-many"] = get_many,
  ["get-into"] = get_into,
}
