--- The options of the plugins for Kong and APISIX: those of auth.client and those of the gateway,
-- each with the type of its value. Both plugins make their schemas from this list.
--
-- A new option of auth.client needs one row in TYPES.

local core = require "corebank.auth.core"
local list = require "corebank.auth.options.list"
local own = require "corebank.auth.gateway.options"
local redis_options = require "corebank.auth.store.redis_options"

---@class corebank.auth.gateway.Field
---@field name string
---@field type "string"|"secret"|"number"|"integer"|"boolean"|"headers"|"statuses"|"redis"
---@field check fun(value: any): any, string? the value; or nil and what it must be
---@field default any
---@field required boolean?
---@field isOfRequest boolean? it says how a request uses the token, and is not an option of a bank

local fields = {}

-- A "secret" is a string that the gateway encrypts in its database, if it can. false: a
-- configuration cannot contain such a value.
local TYPES = {
  baseUrl = "string",
  apiUrl = "string",
  path = "string",
  clientId = "string",
  clientSecret = "secret",
  timeout = "number",
  connectTimeout = "number",
  attempts = "integer",
  caFile = "string",
  caPath = "string",
  clientCert = "string",
  clientKey = "string",
  clientKeyPassword = "secret",
  pinnedKey = "string",
  minTls = "string",
  proxy = "secret",
  proxyCaFile = "string",
  noProxy = "string",
  allowPlaintext = "boolean",
  headers = "headers",
  leeway = "number",
  refreshAhead = "number",
  onEvent = false,
  store = false,
}

-- The fields of `redis`.
fields.redis = {
  {name = "url", type = "secret"}, {name = "password", type = "secret"},
  {name = "passwordFile", type = "string"}, {name = "prefix", type = "string"},
  {name = "timeout", type = "number"},
}

-- ---- checks ------------------------------------------------------------------------------------

-- Wraps a check that may make a secret object from a string. The object is wiped.
local function without_leftovers(check)
  return function(value)
    local checked, reason = check(value)
    if core.is_secret(checked) then checked:close() end
    if checked == nil then return nil, reason end
    return value
  end
end

local function check_own(name)
  return function(value)
    local read, mistake = own.get({[name] = value}, name)
    if read == nil then return nil, (mistake:gsub("^%w+ ", "")) end
    return read
  end
end

-- Headers that nginx, or the plugin's gateway, sets for each request to the upstream.
local OF_CONNECTION = {host = true, connection = true, te = true, trailer = true, upgrade = true,
  expect = true, ["transfer-encoding"] = true, ["keep-alive"] = true}

local function check_header_name(value)
  if type(value) ~= "string" or #value > 100 or not value:find("^[%w!#$%%&'*+%-.^_`|~]+$") then
    return nil, "must be the name of a header, such as Authorization"
  end
  local name = value:lower()
  if OF_CONNECTION[name] or name:find "^content%-" then
    return nil, "must not be " .. value .. ", which the gateway sets itself"
  end
  return value
end

local function redis_mistake(value)
  local known, names = {["$refs"] = true}, {}   -- Kong adds $refs
  for i, field in ipairs(fields.redis) do known[field.name], names[i] = true, field.name end
  for name in pairs(value) do
    if not known[name] then
      return ("unknown option '%s'; there are %s"):format(core.printable(tostring(name)):sub(1, 40),
        table.concat(names, ", "))
    end
  end
  if value.password ~= nil and value.passwordFile ~= nil then
    return "give password or passwordFile, not both"
  elseif value.passwordFile == "" then
    return "passwordFile must not be empty"
  end
end

-- A passwordFile may not exist yet, so it is not read here.
local function check_redis(value)
  if type(value) ~= "table" then return nil, "must be a table, not " .. type(value) end
  local mistake = redis_mistake(value)
  if mistake then return nil, "has a mistake: " .. mistake end
  local copy = {}
  for name, each in pairs(value) do
    if name ~= "$refs" then copy[name] = each end
  end
  if type(copy.passwordFile) == "string" then
    copy.passwordFile, copy.password = nil, copy.passwordFile
  end
  local read, fault = redis_options.read(copy)
  if not read then return nil, "has a mistake: " .. fault end
  return value
end

-- ---- the list ----------------------------------------------------------------------------------

---@type corebank.auth.gateway.Field[]
fields.list = {}

for _, option in ipairs(list) do
  local kind = TYPES[option.name]
  assert(kind ~= nil, "gateway/fields.lua: the option " .. option.name .. " needs a row in TYPES")
  if kind then
    table.insert(fields.list, {name = option.name, type = kind, default = option.default,
      check = without_leftovers(option.check),
      required = option.required and kind ~= "secret" or nil})
  end
end

for _, field in ipairs{
  {name = "clientSecretFile", type = "string", check = check_own "clientSecretFile"},
  {name = "name", type = "string", check = check_own "name"},
  {name = "dict", type = "string", check = check_own "dict"},
  {name = "redis", type = "redis", check = check_redis},
  {name = "tokenHeader", type = "string", default = "Authorization", isOfRequest = true,
    check = check_header_name},
  {name = "scheme", type = "string", default = "Bearer", isOfRequest = true,
    check = check_own "scheme"},
  {name = "rejects", type = "statuses", default = {401}, isOfRequest = true,
    check = check_own "rejects"},
} do
  table.insert(fields.list, field)
end

return fields
