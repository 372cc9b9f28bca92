--- The options of reading JSON.

local core = require "corebank.auth.core"

local LONGEST_SHOWN = 40   -- bytes of a name

--- Reads them.
---@param given any
---@return boolean? bigAsText whether a number that Lua cannot hold becomes its digits
---@return string? mistake
return function(given)
  if given == nil then return false end
  if type(given) ~= "table" then
    return nil, "the options must be a table, not " .. type(given)
  end
  for name, value in pairs(given) do
    if name ~= "bigNumbers" then
      return nil, ("unknown option '%s'; there is only bigNumbers"):format(
        core.printable(tostring(name)):sub(1, LONGEST_SHOWN))
    elseif value ~= "string" then
      return nil, 'bigNumbers must be "string"'
    end
  end
  return given.bigNumbers ~= nil
end
