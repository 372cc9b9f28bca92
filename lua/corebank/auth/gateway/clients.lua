--- The banks of a worker, each with its client. All users with the same options share one bank.
--
-- Options are the same if their content is the same. Their tables do not count: gateways make new
-- tables at each reload and for each consumer, and change fields of old tables. A user holds a bank
-- and later releases it, or uses it for one request. A bank that has no holder, and that was not
-- used for a while, is closed. If the options of a user change, it gets another bank.

local content = require "corebank.auth.gateway.content"
local core = require "corebank.auth.core"
local setup = require "corebank.auth.gateway.setup"

local UNUSED_KEPT = 60   -- seconds after the last request that used a bank

---@class corebank.auth.gateway.Bank
---@field name string
---@field client corebank.auth.Client? nil: the bank could not be set up
---@field metrics corebank.auth.Metrics? nil: the dict of its options does not exist
---@field given table? its options, while it has no client
---@field mistake string? why it has no client
---@field unusable string? the mistake of a plugin's configuration, which makes no options of setup
---@field where string the line, or the plugin, that needs it
---@field variable string? the nginx variable that carries the token; nil: mistake in its options
---@field variables table<string, boolean> all variables that have carried its token
---@field scheme string? the word before the token; "" for nothing
---@field rejects table<integer, boolean> statuses by which the upstream rejects a token
---@field due number when the pulse checks it next, on the boot clock
---@field secret corebank.auth.Secret? read from clientSecretFile
---@field key string the key of its options
---@field holders integer how many users hold it
---@field unusedAt number when it counts as unused if it has no holder, on the boot clock
---@field gone boolean? whether it was closed, or will be when its fetch has ended

local clients = {}

local by_key, list = {}, {}
local ending = {}   -- banks that are gone, and that are not closed yet

local function find_or_make(given, where, unusable)
  local key = content.key(unusable and {given = given, unusable = unusable} or given)
  local bank = by_key[key]
  if bank then return bank end
  local copy = {}
  for option, value in pairs(given) do copy[option] = value end
  bank = {name = given.name, given = copy, where = where, unusable = unusable, due = 0,
    variables = {}, rejects = {}, key = key, holders = 0, unusedAt = 0}
  by_key[key] = bank
  list[#list + 1] = bank
  setup.try(bank)
  return bank
end

local function close_ended()
  for i = #ending, 1, -1 do
    local bank = ending[i]
    if not bank.client or not bank.client:is_fetching() then
      table.remove(ending, i)
      if bank.client then bank.client:close() end
      if bank.secret then bank.secret:close() end
    end
  end
end

local function is_unused(bank, now)
  return bank.holders == 0 and now >= bank.unusedAt
end

--- Closes the banks that are no longer needed. A bank that is fetching is closed when its fetch has
-- ended.
function clients.close_unused()
  local now, kept = core.boot(), {}
  for _, bank in ipairs(list) do
    if is_unused(bank, now) then
      by_key[bank.key] = nil
      bank.gone, bank.given = true, nil
      ending[#ending + 1] = bank
    else
      kept[#kept + 1] = bank
    end
  end
  list = kept
  close_ended()
end

--- The bank with these options. Adds a holder: the bank stays open until all holders release it.
---@param given table the options of setup, with a name
---@param where string for the log
---@param unusable string? why these options make no client
---@return corebank.auth.gateway.Bank
function clients.hold(given, where, unusable)
  local bank = find_or_make(given, where, unusable)
  bank.holders = bank.holders + 1
  return bank
end

--- Releases a bank that was held.
---@param bank corebank.auth.gateway.Bank
function clients.release(bank)
  bank.holders = bank.holders - 1
  clients.close_unused()
end

--- The bank with these options, for one request.
---@param given table the options of setup, with a name
---@param where string for the log
---@param unusable string? why these options make no client
---@return corebank.auth.gateway.Bank
function clients.use(given, where, unusable)
  local bank = find_or_make(given, where, unusable)
  clients.used(bank)
  return bank
end

--- Notes that a request uses the bank.
function clients.used(bank)
  bank.unusedAt = core.boot() + UNUSED_KEPT
end

--- Closes all banks without holders, also those that requests have used just now.
function clients.drop()
  for _, bank in ipairs(list) do bank.unusedAt = 0 end
  clients.close_unused()
end

--- All banks, the oldest first.
---@return corebank.auth.gateway.Bank[] # a new list
function clients.each()
  local copy = {}
  for i, bank in ipairs(list) do copy[i] = bank end
  return copy
end

return clients
