--- Makes *settings* from a caller's options: checks each option. For a missing option it takes the
-- environment's value or the default. Settings are a copy: later changes of the caller's table do
-- not affect them.

local core = require "corebank.auth.core"
local check_together = require "corebank.auth.options.together"
local environment = require "corebank.auth.options.from_environment"
local list = require "corebank.auth.options.list"

---@class corebank.auth.Settings: corebank.auth.ClientOptions of which some are still there; and:
---@field endpoint userdata the options that libcurl needs, see csrc/lua/endpoint.c
---@field url string where to send the credentials
---@field origin string the bank, as messages name it
---@field apiUrl string? see options/api_url.lua
---@field secretVariable string? the variable that the secret is from
---@field headerLines string[]? the option `headers`
---@field sharesEndpoint boolean? whether the endpoint is closed with other settings
---@field sharesSecret boolean? whether the secret is the caller's, and not closed with these

local CREDENTIALS = {clientId = true, clientSecret = true}

local known = {}
for _, option in ipairs(list) do known[option.name] = option end

local options = {}

-- ---- one option --------------------------------------------------------------------------------

-- A secret that was made here is wiped from here, too.
local function own(values, value)
  if core.is_secret(value) then values.owned[#values.owned + 1] = value end
end

-- The value for an option that was not given, and the variable that it is from, if one is.
local function fall_back(values, option)
  local value, variable, reason = environment.value(option, values.secretFiles)
  if reason then return nil, nil, environment.shown(option.name, variable) .. " " .. reason end
  if value == nil then return option.default end
  values.variables[option.name] = variable
  own(values, value)
  return value, variable
end

-- Adds the option to the values. Returns what is wrong with it, if anything.
local function read_option(values, option, value)
  local variable, mistake
  if value == nil then value, variable, mistake = fall_back(values, option) end
  if mistake then return mistake end
  if value == nil then return option.required and environment.missing(option) or nil end
  local checked, reason = option.check(value)
  if checked == nil then return environment.shown(option.name, variable) .. " " .. reason end
  values[option.as or option.name] = checked
  if checked ~= value then own(values, checked) end
end

-- ---- all of them -------------------------------------------------------------------------------

local function check_names(given, forClient, all)
  for name in pairs(given) do
    local option = known[name]
    if not option then return require "corebank.auth.options.suggest".mistake(name, all) end
    if option.clientOnly and not forClient then
      return name .. " is an option of auth.client only"
    end
  end
end

local function new_values(secretFiles)
  return {owned = {}, variables = {}, secretFiles = secretFiles}
end

-- Wipes the secrets that were made here.
local function wipe(values)
  for _, owned in ipairs(values.owned) do owned:close() end
end

local function read_place(values, given)
  for _, option in ipairs(list) do
    local mistake = not CREDENTIALS[option.name]
      and read_option(values, option, given[option.name])
    if mistake then return mistake end
  end
  return check_together(values)
end

-- What most settings do without.
local RARE = {"apiUrl", "clientCert", "headerLines", "onEvent", "noProxy", "store", "leeway",
  "refreshAhead"}

-- LuaJIT makes place for a key even when its value is nil.
local function keep(settings, name, value)
  if value ~= nil then settings[name] = value end
end

-- What is still needed of the options once the endpoint is made: 100,000 idle clients have these.
local function new_settings(values)
  local settings = {endpoint = core.endpoint(values), url = values.url, origin = values.origin,
    timeout = values.timeout, connectTimeout = values.connectTimeout, attempts = values.attempts}
  for _, name in ipairs(RARE) do keep(settings, name, values[name]) end
  return settings
end

local function add_credentials(settings, given, secretFiles)
  local values = new_values(secretFiles)
  local mistake = read_option(values, known.clientId, given.clientId)
    or read_option(values, known.clientSecret, given.clientSecret)
  if mistake then
    wipe(values)
    return mistake
  end
  settings.clientId, settings.clientSecret = values.clientId, values.clientSecret
  keep(settings, "sharesSecret", values.owned[1] == nil or nil)
  keep(settings, "secretVariable", values.variables.clientSecret)
end

--- Checks options each by itself; others may be missing.
---@param given corebank.auth.Options
---@param all {name: string}[] what a caller may have meant by a name that is wrong
---@return string? mistake
function options.check(given, all)
  local mistake = check_names(given, false, all)
  local values = new_values()
  for _, option in ipairs(list) do
    local value = given[option.name]
    if value ~= nil then mistake = mistake or read_option(values, option, value) end
  end
  wipe(values)
  return mistake
end

--- Reads all options but the credentials.
---@param given corebank.auth.Options
---@param forClient boolean? whether a client's own options may be there
---@return corebank.auth.Settings? settings without clientId and clientSecret
---@return string? mistake what is wrong with `given`, naming the option
function options.read_place(given, forClient)
  if type(given) ~= "table" then
    return nil, "a table of options is needed, not " .. type(given)
  end
  local values = new_values()
  local mistake = check_names(given, forClient, list) or read_place(values, given)
  local settings = not mistake and new_settings(values) or nil
  wipe(values)   -- the endpoint has a copy of a key's passphrase
  return settings, mistake
end

--- Reads a caller's options.
---@param given corebank.auth.Options
---@param forClient boolean? whether a client's own options may be there
---@param secretFiles {anyMode: boolean?, stream: boolean?}? for the file that a variable names
---@return corebank.auth.Settings?
---@return string? mistake what is wrong with `given`, naming the option
function options.read(given, forClient, secretFiles)
  local settings, mistake = options.read_place(given, forClient)
  if not settings then return nil, mistake end
  mistake = add_credentials(settings, given, secretFiles)
  if not mistake then return settings end
  options.release(settings)
  return nil, mistake
end

--- The same settings with other credentials; they share the endpoint.
---@param place corebank.auth.Settings what `read_place` made; to be released later than these
---@param given corebank.auth.Options of which only the credentials count
---@return corebank.auth.Settings?
---@return string? mistake
function options.with_credentials(place, given)
  local settings = setmetatable({sharesEndpoint = true}, {__index = place})
  local mistake = add_credentials(settings, given)
  if mistake then return nil, mistake end
  return settings
end

--- Closes the endpoint, and wipes the secret unless the caller made it.
---@param settings corebank.auth.Settings
function options.release(settings)
  if not settings.sharesEndpoint then settings.endpoint:close() end
  if settings.clientSecret and not settings.sharesSecret then settings.clientSecret:close() end
end

return options
