--- The options of a bank that only the gateway has. All other options are those of auth.client.

local options = {DEFAULT_NAME = "default", DEFAULT_DICT = "corebank"}

local LONGEST_NAME = 100   -- bytes; it is part of the names of counters
options.LONGEST_NAME = LONGEST_NAME

local function text_like(pattern)
  return function(value) return type(value) == "string" and value:find(pattern) ~= nil end
end

local is_text = text_like "."

local function is_status_list(value)
  if type(value) ~= "table" then return false end
  for index, status in pairs(value) do
    if type(index) ~= "number" or type(status) ~= "number" or status % 1 ~= 0
      or status < 400 or status > 599 then
      return false
    end
  end
  return true
end

local list = {
  {name = "name", default = options.DEFAULT_NAME, mistake = "must be a string of 1 to "
    .. LONGEST_NAME .. " bytes, and no control character",
    check = function(value)
      return is_text(value) and #value <= LONGEST_NAME and not value:find "%c"
    end},
  -- false: there is no dict; each worker has its own tokens and counters.
  {name = "dict", default = options.DEFAULT_DICT,
    check = function(value) return value == false or is_text(value) end,
    mistake = "must be a string, and not empty"},
  {name = "variable", default = "bank_token", check = text_like "^[%a_][%w_]*$",
    mistake = "must be the name of an nginx variable, without the $"},
  {name = "scheme", default = "Bearer", check = text_like "^[%w_+.-]*$",
    mistake = 'must be a word such as "Bearer", or "" for the token alone'},
  {name = "rejects", default = {401}, check = is_status_list,
    mistake = "must be a list of statuses from 400 to 599, such as {401, 403}"},
  {name = "clientSecretFile", check = is_text, mistake = "must be a path"},
}

local by_name = {}
for _, option in ipairs(list) do by_name[option.name] = option end

--- The value of an option, or `default`, or the option's own default; or nil and what is wrong.
function options.get(given, name, default)
  if type(given) ~= "table" then
    return nil, "a table of options is needed, not " .. type(given)
  end
  local option, value = by_name[name], given[name]
  if value == nil then return default or option.default end
  if not option.check(value) then return nil, name .. " " .. option.mistake end
  return value
end

--- The values of all these options by name; or nil and what is wrong.
---@param given table the options of setup
function options.read(given)
  local read = {}
  for _, option in ipairs(list) do
    local value, mistake = options.get(given, option.name)
    if mistake then return nil, mistake end
    read[option.name] = value
  end
  if read.clientSecretFile and given.clientSecret ~= nil then
    return nil, "give clientSecret or clientSecretFile, not both"
  end
  return read
end

--- A copy of all other options: those of the client.
---@param given table the options of setup
---@param secret corebank.auth.Secret? in place of a clientSecret
function options.of_client(given, secret)
  local copy = {}
  for option, value in pairs(given) do
    if not by_name[option] then copy[option] = value end
  end
  copy.clientSecret = secret or copy.clientSecret
  return copy
end

return options
