--- Sets up a bank: reads its options, and makes its client and its counters.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local events = require "corebank.auth.gateway.events"
local log = require "corebank.auth.gateway.log"
local metrics = require "corebank.auth.gateway.metrics"
local no_dict = require "corebank.auth.gateway.no_dict"
local own = require "corebank.auth.gateway.options"
local options = require "corebank.auth.options.read"
local shdict = require "corebank.auth.store.shdict"

-- A client needs these modules. They are loaded here, so that the first request does not load them.
-- The master loads them if it loads this module.
require "corebank.auth.client.shared"
require "corebank.auth.host.nginx"
require "corebank.auth.host.system"

local ngx = ngx

local RETRY_SETUP = 2   -- seconds until a bank that could not be set up is tried again

local setup = {}

-- Calls a function that raises an error for a mistake. Returns nil and the mistake instead.
local function attempt(action, ...)
  local ok, result = pcall(action, ...)
  if ok then return result end
  return nil, (tostring(result):gsub("^[%w.]+: ", ""))
end

-- The secret of a file; or nil and why it cannot be read.
local function read_secret(path)
  local secret, mistake = attempt(auth.secret.file, path)
  if secret then return secret end
  if mistake:find("Permission denied", 1, true) then
    mistake = mistake .. "; the user that nginx' workers run as must be able to read it: give the "
      .. "file that user's group, and mode 0640"
  end
  return nil, "clientSecretFile: " .. mistake
end

-- Puts the gateway's event handler before the user's.
local function listen(copy, bank)
  local theirs = copy.onEvent
  if theirs ~= nil and type(theirs) ~= "function" then return end   -- auth.client refuses it
  function copy.onEvent(event)
    local hear = events[event.name]
    if hear then hear(bank, event) end
    if theirs then theirs(event) end
  end
end

local store_of_worker   -- used if there is no dict

-- The store of banks without the option `store`; or nil and what is wrong.
local function default_store(dict)
  if dict then return shdict.new(dict) end
  store_of_worker = store_of_worker or auth.store.memory()
  return store_of_worker
end

-- Returns the options of the client; or nil and what is wrong. The third result is the secret, if
-- it is from a file.
local function client_options(given, read)
  local store, secret, mistake
  store, mistake = default_store(read.dict)
  if not store then return nil, mistake end
  if read.clientSecretFile then
    secret, mistake = read_secret(read.clientSecretFile)
    if not secret then return nil, mistake end
  end
  local copy = own.of_client(given, secret)
  copy.store = copy.store or store
  return copy, nil, secret
end

-- Makes the bank's client and counters from its options. Returns the mistake in them, if any.
local function make(bank)
  local read, mistake = own.read(bank.given)
  if not read then return mistake end
  bank.variable, bank.scheme = read.variable, read.scheme
  bank.variables[read.variable] = true
  for _, status in pairs(read.rejects) do bank.rejects[status] = true end
  local dict = read.dict and ngx.shared[read.dict] or read.dict == false and no_dict
  bank.metrics = dict and metrics.new(dict, bank.name)
  if bank.unusable then return bank.unusable end
  local copy, secret
  copy, mistake, secret = client_options(bank.given, read)
  if not copy then return mistake end
  listen(copy, bank)
  bank.client, mistake = attempt(auth.client, copy)
  if bank.client then
    bank.secret, bank.given = secret, nil   -- the options may contain a secret
  elseif secret then
    secret:close()
  end
  return mistake
end

--- Sets up a bank that has no client. After a mistake the setup is tried again.
---@param bank corebank.auth.gateway.Bank
function setup.try(bank)
  local mistake = make(bank)
  bank.due = core.boot() + (mistake and RETRY_SETUP or 0)
  log.setup(bank, mistake)
  bank.mistake = mistake
end

--- What is wrong with a bank's options, as far as this can be checked outside of a worker.
---@param given table
---@return string? mistake
function setup.inspect(given)
  local read, mistake = own.read(given)
  if not read then return mistake end
  local copy, secret, settings
  copy, mistake, secret = client_options(given, read)
  if not copy then return mistake end
  settings, mistake = options.read(copy, true)
  if settings then options.release(settings) end
  if secret then secret:close() end
  return mistake
end

return setup
