--- Checks the configuration of a plugin in Kong or APISIX.

local fields = require "corebank.auth.gateway.fields"
local options = require "corebank.auth.options.read"
local suggest = require "corebank.auth.options.suggest"

local ngx = ngx

local configuration = {}

-- The values that stand for references in rules about several options. Only the gateway's vault
-- knows the real values.
local STAND_IN = {baseUrl = "https://bank.example", clientId = "x", clientSecret = "x"}

-- The first bytes of references. They make the check fast: each request checks all values.
local BEGINNINGS = {[("{"):byte()] = true, [("$"):byte()] = true}

--- Whether a value is a reference that the gateway resolves later: Kong's `{vault://…}`, APISIX's
-- `$secret://…` or `$env://…`.
---@return boolean
function configuration.is_reference(value)
  if type(value) ~= "string" or not BEGINNINGS[value:byte()] then return false end
  return value:find "^{vault://.*}$" ~= nil or value:find "^%$secret://" ~= nil
    or value:sub(1, 7):lower() == "$env://"
end

local is_reference = configuration.is_reference

local function has_reference(value)
  if type(value) ~= "table" then return is_reference(value) end
  for _, each in pairs(value) do
    if is_reference(each) then return true end
  end
  return false
end

-- A copy without the nulls that Kong adds for options that are not set.
local function copy_of(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for name, each in pairs(value) do
    if each ~= ngx.null then copy[name] = each end
  end
  return copy
end

--- A copy of the known options that a configuration has.
---@param conf table
---@return table values by name
function configuration.values(conf)
  local values = {}
  for _, field in ipairs(fields.list) do
    local value = conf[field.name]
    if value ~= ngx.null then values[field.name] = copy_of(value) end
  end
  return values
end

--- The mistake for a name that is no option. Names that begin with _ or $ are the gateway's
-- own.
---@return string? mistake
function configuration.unknown(conf)
  local known = {}
  for _, field in ipairs(fields.list) do known[field.name] = true end
  for name in pairs(conf) do
    if not known[name] and not (type(name) == "string" and name:find "^[_$]") then
      return suggest.mistake(name, fields.list)
    end
  end
end

--- What is wrong with a value. References are not checked; in `headers` they are texts as others.
---@param field corebank.auth.gateway.Field
---@return string? reason
function configuration.fault(field, value)
  if is_reference(value) or field.type == "redis" and has_reference(value) then return nil end
  local checked, reason = field.check(value)
  if checked == nil then return reason end
end

-- The mistake by the rules of auth.client about several options.
local function mistake_together(values)
  local copy = {}
  for _, field in ipairs(fields.list) do
    local name, value = field.name, values[field.name]
    local isOfClient = not field.isOfRequest and field.type ~= "redis" and name ~= "name"
      and name ~= "dict" and name ~= "clientSecretFile"
    if isOfClient and is_reference(value) then value = STAND_IN[name] end
    if isOfClient then copy[name] = value end
  end
  if values.clientSecretFile then copy.clientSecret = STAND_IN.clientSecret end
  local settings, mistake = options.read(copy, true)
  if settings then options.release(settings) end
  return mistake
end

--- What is wrong with the values, one by one and together.
---@param values table from configuration.values
---@return string? mistake naming the option
function configuration.mistake(values)
  for _, field in ipairs(fields.list) do
    local value = values[field.name]
    local reason = value ~= nil and configuration.fault(field, value)
    if reason then return field.name .. " " .. reason end
    if value == nil and field.required then return field.name .. " is missing" end
  end
  if values.clientSecret ~= nil and values.clientSecretFile then
    return "give clientSecret or clientSecretFile, not both"
  elseif values.clientSecret == nil and not values.clientSecretFile then
    return "clientSecret is missing; give it or clientSecretFile"
  end
  return mistake_together(values)
end

-- Kong writes "" for a reference that it cannot resolve, and keeps the reference in `$refs`.
local function is_unresolved(value, reference)
  return is_reference(value) or value == "" and reference ~= nil
end

local function has_unresolved(value, reference)
  if type(value) ~= "table" then return is_unresolved(value, reference) end
  local references = value["$refs"] or reference or {}
  for name, each in pairs(value) do
    if is_unresolved(each, references[name]) then return true end
  end
  return false
end

--- The first option with a reference that the gateway could not resolve.
---@param conf table the gateway's table
---@return string? name
function configuration.unresolved(conf)
  local references = conf["$refs"] or {}
  for _, field in ipairs(fields.list) do
    if has_unresolved(conf[field.name], references[field.name]) then return field.name end
  end
end

return configuration
