--- Reads a list of tables of options, with options that all of them share.
--
-- Shared options are given once, and an element gives only what differs. An option in an element
-- overrides the shared option. Elements with nothing but credentials share one endpoint.

local options = require "corebank.auth.options.read"

local CREDENTIALS = {clientId = true, clientSecret = true}

---@class corebank.auth.Elements
---@field shared corebank.auth.Options
---@field place corebank.auth.Settings? what elements share that give nothing but credentials
local Elements = {}
Elements.__index = Elements

local function gives_only_credentials(element)
  if type(element) ~= "table" or getmetatable(element) ~= nil then return false end
  for name in pairs(element) do
    if not CREDENTIALS[name] then return false end
  end
  return true
end

-- The options of an element: its own, else the shared ones.
local function merge(shared, element)
  local merged = setmetatable({}, {__index = element})   -- its metatable may give more
  for name, value in pairs(element) do merged[name] = value end
  for name, value in pairs(shared) do
    if merged[name] == nil then merged[name] = value end
  end
  return merged
end

--- The settings of an element. To be released before this is closed.
---@param element corebank.auth.Options
---@return corebank.auth.Settings?
---@return string? mistake
function Elements:read(element)
  if not gives_only_credentials(element) then return options.read(merge(self.shared, element)) end
  local id, value = element.clientId, element.clientSecret
  if id == nil then id = self.shared.clientId end
  if value == nil then value = self.shared.clientSecret end
  return options.with_credentials(self.place, {clientId = id, clientSecret = value})
end

--- Closes what the elements share.
function Elements:close()
  if self.place then options.release(self.place) end
end

local elements = {}

--- Checks and reads what the elements of a list share.
---@param elementList table[]
---@param shared corebank.auth.Options
---@return corebank.auth.Elements?
---@return string? mistake
function elements.new(elementList, shared)
  local self = setmetatable({shared = shared}, Elements)
  local mistake
  for _, element in ipairs(elementList) do
    if not self.place and gives_only_credentials(element) then
      self.place, mistake = options.read_place(shared)
      if mistake then return nil, mistake end
    end
  end
  return self
end

return elements
