--- The settings of one call, which are read once when a caller uses the same table again and again.

local core = require "corebank.auth.core"
local options = require "corebank.auth.options"

-- A script that calls with one table over and over has it read once. What is kept here lives as
-- long as that table, which holds the secret anyway, and is checked against it at every call.
local remembered = setmetatable({}, {__mode = "k"})

-- Not remembered: values that may change behind our back (the environment's, other tables', what a
-- metatable gives, secrets that their owner may close), and functions, which may refer to the table
-- and keep it for ever.
local function memorable(settings, given)
  return not settings.fromEnvironment and getmetatable(given) == nil
    and given.headers == nil and given.onEvent == nil
    and type(given.clientSecret) == "string" and type(given.clientKeyPassword) ~= "userdata"
end

local remember = {}

--- Like options.read, for one call: `borrow`, call, `give_back`. A table seen for the second time
-- is remembered; until then the secret is wiped as soon as the call is over. What is remembered is
-- lent to one call at a time: another one (in nginx there may be) has it read for itself.
---@param given corebank.auth.Options
---@return table? settings
---@return string? mistake
function remember.borrow(given)
  local last = remembered[given]
  local kept = last and last.settings
  if kept and not kept.lent and core.same_fields(given, last.fields, last.count) then
    kept.lent = true
    return kept
  end
  local settings, mistake = options.read(given)
  if not settings then return nil, mistake end
  if kept and kept.lent or not memorable(settings, given) then return settings end
  if last then
    remembered[given] = options.keep(given, settings)
    settings.lent = true
  else
    remembered[given] = {}
  end
  return settings
end

---@param settings table
function remember.give_back(settings)
  if settings.serial then settings.lent = false else options.release(settings) end
end

return remember
