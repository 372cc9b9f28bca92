--- The banks of this worker, by name. A bank that cannot be set up has no client, and its setup is
-- tried again. It does not affect the other banks.

local log = require "corebank.auth.gateway.log"
local options = require "corebank.auth.gateway.options"
local setup = require "corebank.auth.gateway.setup"

---@class corebank.auth.gateway.Bank
---@field name string
---@field client corebank.auth.Client? nil: it could not be set up
---@field metrics corebank.auth.Metrics? nil: there is no such dict
---@field given table? its options, while it has no client
---@field mistake string? why it has none
---@field where string the line that called setup
---@field variable string? the nginx variable that carries the token; nil: it could not be set up
---@field variables table<string, boolean> all that have carried one
---@field scheme string? what stands before the token; "" for nothing
---@field rejects table<integer, boolean> statuses by which the upstream rejects a token
---@field due number when the pulse looks after it, on the boot clock
---@field secret corebank.auth.Secret? read from clientSecretFile

local banks = {}

local known, names = {}, {}
local retired = {}   -- clients that were replaced or removed while they were fetching

-- A client that is fetching is closed when its flight has ended.
local function retire(bank)
  bank.gone, bank.given = true, nil
  if bank.client then retired[#retired + 1] = bank end
  banks.close_retired()
end

--- Closes the clients of removed banks that are not fetching.
function banks.close_retired()
  for i = #retired, 1, -1 do
    local bank = retired[i]
    if not bank.client:is_fetching() then
      table.remove(retired, i)
      bank.client:close()
      if bank.secret then bank.secret:close() end
    end
  end
end

--- Makes a bank known, in place of one that has its name. The log has the mistake, too.
---@param given table
---@param where string the line that called setup
---@return string? mistake
function banks.put(given, where)
  local name, mistake = options.get(given, "name")
  if not name then
    log.nameless(where, mistake)
    return mistake
  end
  local old = known[name]
  local copy = {}
  for option, value in pairs(given) do copy[option] = value end
  local bank = {name = name, given = copy, where = where, due = 0, variables = {}, rejects = {}}
  if old then
    log.replaced(old)
    retire(old)
  else
    names[#names + 1] = name
  end
  known[name] = bank
  setup.try(bank)
  return bank.mistake
end

--- Removes a bank.
---@param name string
---@return boolean # whether there was one
function banks.remove(name)
  local bank = known[name]
  if not bank then return false end
  known[name] = nil
  for i, each in ipairs(names) do
    if each == name then table.remove(names, i) break end
  end
  retire(bank)
  return true
end

--- The bank of that name, default: the default one.
---@return corebank.auth.gateway.Bank?
function banks.get(name)
  return known[name or options.DEFAULT_NAME]
end

--- The same; without such a bank there is a line in the log.
---@return corebank.auth.gateway.Bank?
function banks.find(name)
  local bank = banks.get(name)
  if not bank then log.unknown(tostring(name or options.DEFAULT_NAME)) end
  return bank
end

--- The bank of that name. Without a name all of them, in the order in which they were set up.
---@return corebank.auth.gateway.Bank[] # a list of the caller's own
function banks.each(name)
  if name then return {banks.find(name)} end
  local list = {}
  for i, known_name in ipairs(names) do list[i] = known[known_name] end
  return list
end

--- Another bank that uses the same variable.
---@return corebank.auth.gateway.Bank?
function banks.other_with(variable, bank)
  for _, name in ipairs(names) do
    local other = known[name]
    if other ~= bank and other.variables[variable] then return other end
  end
end

return banks
