--- The settings of one call, which are read once when a caller uses the same table again and again.

local alike = require "corebank.auth.options.alike"
local core = require "corebank.auth.core"
local options = require "corebank.auth.options.options"

-- A script that calls with one table over and over has it read once. What is kept here lives as
-- long as that table, which holds the secret anyway, and is checked against it at every call.
local remembered = setmetatable({}, {__mode = "k"})   -- table -> settings, or false: seen, or lent

-- Of a table that is made anew for each call, as a literal in a loop is, all but the credentials
-- was read with the one before. Of that one nothing else is kept, and nothing that is secret.
local reader = alike.reader()

-- Not remembered: values that may change unseen (the environment's, other tables', what a
-- metatable gives), and functions, which may refer to the table and keep it for ever.
local function is_lasting(given)
  return type(given) == "table" and getmetatable(given) == nil
    and given.headers == nil and given.onEvent == nil
end

-- Nor secrets that their owner may close.
local function is_memorable(settings, given)
  return is_lasting(given) and not settings.fromEnvironment
    and type(given.clientSecret) == "string" and type(given.clientKeyPassword) ~= "userdata"
end

local function read(given)
  if not is_lasting(given) then return options.read(given) end
  local settings, mistake = reader:read(given)
  if settings and (settings.fromEnvironment or not settings.serial) then
    reader:forget()
    settings.serial = nil   -- no other call will have it: its handle goes with this one
  end
  return settings, mistake
end

local remember = {}

--- Like options.read, for one call: `borrow`, call, `give_back`. A table seen for the second time
-- is remembered; until then the secret is wiped as soon as the call is over. What is remembered is
-- taken out meanwhile: in nginx there may be another call with this table, and one that is dropped
-- with its request leaves nothing behind.
---@param given corebank.auth.Options
---@return table? settings
---@return string? mistake
function remember.borrow(given)
  local kept = remembered[given]
  if kept then
    remembered[given] = false
    if core.same_fields(given, kept.fields, kept.count) then return kept end
    options.release(kept)   -- of what the table was before
  end
  local settings, mistake = read(given)
  if not settings then return nil, mistake end
  if is_memorable(settings, given) then
    if kept == nil then
      remembered[given] = false
    else
      options.number(settings)
      settings.fields, settings.count = options.fields(given)
    end
  end
  return settings
end

---@param settings table
---@param given corebank.auth.Options
function remember.give_back(settings, given)
  if settings.fields and not remembered[given] then
    remembered[given] = settings
  else
    options.release(settings)
  end
end

return remember
