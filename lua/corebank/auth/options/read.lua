--- Makes *settings* of what a caller gives: checks each option, and takes the environment's value
-- or the default for one that is missing. Settings are a copy: what becomes of the caller's table
-- later changes nothing.

local core = require "corebank.auth.core"
local check_together = require "corebank.auth.options.together"
local environment = require "corebank.auth.options.environment"
local list = require "corebank.auth.options.list"

local known = {}
for _, option in ipairs(list) do known[option.name] = option end

local options = {}

-- A secret that was made here is wiped from here, too.
local function own(settings, value)
  if core.is_secret(value) then settings.owned[#settings.owned + 1] = value end
end

-- The value for an option that was not given, and the variable that it is from, if one is.
local function fall_back(settings, option)
  local value, variable, reason = environment.value(option, settings.secretFiles)
  if reason then return nil, nil, environment.shown(option.name, variable) .. " " .. reason end
  if value == nil then return option.default end
  settings.fromEnvironment[option.name] = variable
  own(settings, value)
  return value, variable
end

local function read_option(settings, option, value)
  local variable, mistake
  if value == nil then
    value, variable, mistake = fall_back(settings, option)
    if mistake then return mistake end
    if value == nil then return option.required and environment.missing(option) or nil end
  end
  local checked, reason = option.check(value)
  if checked == nil then return environment.shown(option.name, variable) .. " " .. reason end
  settings[option.as or option.name] = checked
  if checked ~= value then own(settings, checked) end
end

local function check_names(given, forClient)
  for name in pairs(given) do
    local option = known[name]
    if not option then return require "corebank.auth.options.suggest".mistake(name, list) end
    if option.clientOnly and not forClient then
      return name .. " is for a token that is kept: give it to auth.client"
    end
  end
end

local function read_all(settings, given, forClient)
  local mistake = check_names(given, forClient)
  if mistake then return mistake end
  for _, option in ipairs(list) do
    mistake = read_option(settings, option, given[option.name])
    if mistake then return mistake end
  end
  return check_together(settings)
end

--- Reads a caller's options.
---@param given corebank.auth.Options
---@param forClient boolean? whether a client's own options may be there
---@param secretFiles {anyMode: boolean?, stream: boolean?}? for the file that a variable names
---@return table? settings every option under its name, and url, origin, headerLines, endpoint
---@return string? mistake what is wrong with `given`, naming the option
function options.read(given, forClient, secretFiles)
  if type(given) ~= "table" then
    return nil, "a table of options is needed, not " .. type(given)
  end
  local settings = {owned = {}, fromEnvironment = {}, secretFiles = secretFiles}
  local mistake = read_all(settings, given, forClient)
  if mistake then
    options.release(settings)
    return nil, mistake
  end
  settings.endpoint = core.endpoint(settings)
  return settings
end

--- Closes the endpoint and wipes the secrets that `read` made itself; not those a caller made.
---@param settings table
function options.release(settings)
  if settings.endpoint then settings.endpoint:close() end
  for _, owned in ipairs(settings.owned) do owned:close() end
end

return options
