--- Reads options from environment variables, and secrets also from the file that a variable names.

local core = require "corebank.auth.core"
local secret = require "corebank.auth.options.secret"

-- The value of a variable; nil when it is not set or empty. With a reason when nobody can have
-- meant it: a line feed at its end is a shell's doing, any other invisible character a mistake.
local function variable(name)
  local value, reason = core.outside(os.getenv(name) or "")
  if value ~= "" then return value, reason end
end

local function read_secret(option, secretFiles)
  local value, reason = core.secret_env(option.secretEnv)
  local fileVariable = option.secretFileEnv
  local path, fault = variable(fileVariable)
  if not (path or fault) then return value, option.secretEnv, reason end
  if value or reason then
    if value then value:close() end
    return nil, option.secretEnv,
      ("is also given by %s; unset one of the two"):format(fileVariable)
  end
  if path then value, fault = secret.from_file(path, secretFiles) end
  return value, fileVariable, fault
end

local environment = {}

--- What the environment gives for an option.
---@param option corebank.auth.Option
---@param secretFiles {anyMode: boolean?, stream: boolean?}? how a file that holds a secret is read
---@return any value nil: nothing
---@return string? name of the variable
---@return string? reason why the value cannot be used
function environment.value(option, secretFiles)
  if option.secretEnv then return read_secret(option, secretFiles) end
  if not option.env then return nil end
  local value, reason = variable(option.env)
  return value, option.env, reason
end

--- What to say of an option that nobody gives.
function environment.missing(option)
  local names = option.env or ("%s or %s"):format(option.secretEnv, option.secretFileEnv)
  return ("%s is missing; give it or set %s"):format(option.name, names)
end

--- An option as a message names it.
---@param variableName string? the variable that its value is from, if one is
function environment.shown(name, variableName)
  return variableName and ("%s (from %s)"):format(name, variableName) or name
end

return environment
