--- The banks that nginx.lua has set up in this worker, by name. A bank that cannot be set up has no
-- client, and its setup is tried again. Such a bank does not affect the other banks.

local clients = require "corebank.auth.gateway.clients"
local log = require "corebank.auth.gateway.log"
local options = require "corebank.auth.gateway.options"

local banks = {}

local known, names = {}, {}

--- Registers a bank, in place of one with the same name. A mistake is also logged.
---@param given table
---@param where string the line that called setup
---@return string? mistake
function banks.put(given, where)
  local name, mistake = options.get(given, "name")
  if not name then
    log.nameless(where, mistake)
    return mistake
  end
  local copy = {}
  for option, value in pairs(given) do copy[option] = value end
  copy.name = name
  local old = known[name]
  if old then log.replaced(old) else names[#names + 1] = name end
  known[name] = clients.hold(copy, where)
  if old then clients.release(old) end
  return known[name].mistake
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
  clients.release(bank)
  return true
end

--- The bank of that name; without a name, the bank "default".
---@return corebank.auth.gateway.Bank?
function banks.get(name)
  return known[name or options.DEFAULT_NAME]
end

--- The same as `get`. If there is no such bank, this is logged.
---@return corebank.auth.gateway.Bank?
function banks.find(name)
  local bank = banks.get(name)
  if not bank then log.unknown(tostring(name or options.DEFAULT_NAME)) end
  return bank
end

--- The bank of that name, as a list; without a name, all banks, in the order of their setup.
---@return corebank.auth.gateway.Bank[] # a new list
function banks.each(name)
  if name then return {banks.find(name)} end
  local list = {}
  for i, known_name in ipairs(names) do list[i] = known[known_name] end
  return list
end

--- The banks of setup and of plugins. Several banks of plugins may have the same name.
---@return corebank.auth.gateway.Bank[] # a new list
function banks.with_plugins(name)
  if known[name] then return {known[name]} end
  local list, isNamed = {}, {}
  for _, each in ipairs(name and {} or names) do
    list[#list + 1] = known[each]
    isNamed[known[each]] = true
  end
  for _, bank in ipairs(clients.each()) do
    if not isNamed[bank] and (not name or bank.name == name) then list[#list + 1] = bank end
  end
  if name and #list == 0 then log.unknown(tostring(name)) end
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
