--- The store of `--store redis://…`. Every user of a machine sees the words of a command line, so
-- the password comes from the environment or from a file.

local exits = require "corebank.auth.cli.exits"
local redis = require "corebank.auth.store.redis"

local PASSWORD, PASSWORD_FILE = "COREBANK_REDIS_PASSWORD", "COREBANK_REDIS_PASSWORD_FILE"

-- A variable that is empty counts as not set.
local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

--- Makes it, or ends the command.
---@param url string
---@return corebank.auth.Store
return function(url)
  if url:find "^[^/]*//[^/@]*:[^/]*@" then
    exits.stop(exits.USAGE, ("--store must have no password, as every user of this machine can see "
      .. "it; set %s or %s"):format(PASSWORD, PASSWORD_FILE))
  end
  local password, file = variable(PASSWORD), variable(PASSWORD_FILE)
  if password and file then
    exits.stop(exits.USAGE, ("%s is also given by %s; unset one of the two"):format(PASSWORD,
      PASSWORD_FILE))
  end
  local store, mistake = redis.new{url = url, password = password, passwordFile = file}
  if store then return store end
  mistake = mistake:gsub("^url", "--store"):gsub("^passwordFile", PASSWORD_FILE)
    :gsub("with 'connect'", "in Lua, by auth.store.redis")
    :gsub("there is no password", "there is no password; set " .. PASSWORD)
  exits.stop(exits.USAGE, mistake)
end
