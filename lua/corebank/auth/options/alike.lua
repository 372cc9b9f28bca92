--- Reads one table of options after the other. Most lists are of one bank: what is alike in them is
-- read once, and set up once for each handle of libcurl, and of each table the credentials alone.

local check = require "corebank.auth.options.check"
local core = require "corebank.auth.core"
local options = require "corebank.auth.options.options"

-- What is alike in a table and those like it, for settings to inherit. Without its credentials: a
-- reader may outlive them.
local function keep(given, settings)
  options.number(settings)
  local shared = {}
  for name, value in pairs(settings) do shared[name] = value end
  shared.clientId, shared.clientSecret, shared.owned = nil, nil, nil
  local fields, count = options.fields(given)
  fields.clientId, fields.clientSecret = nil, nil
  return {fields = fields, count = count, inheritance = {__index = shared}}
end

-- Whether a table differs from the last one in nothing but its credentials.
local function is_like(given, last)
  return core.same_fields(given, last.fields, last.count, "clientId", "clientSecret")
end

-- Whether the next table may be compared with this one. A key's passphrase is wiped with its call.
local function is_comparable(given)
  return getmetatable(given) == nil and given.clientKeyPassword == nil
end

local function read_credentials(settings, given)
  return options.read_one(settings, "clientId", given.clientId)
    or options.read_one(settings, "clientSecret", given.clientSecret)
end

-- There is no copy of what is alike. What a call writes is its own, or all would share it.
local function inherit(last)
  return setmetatable({owned = {}, transfer = false}, last.inheritance)
end

---@class corebank.auth.Reader
local Reader = {}
Reader.__index = Reader

--- Like options.read, for the next table; the core knows alike settings by one number.
---@param given corebank.auth.Options
---@return table? settings
---@return string? mistake
function Reader:read(given)
  local last = self.last
  if not (last and is_like(given, last)) then
    local settings, mistake = options.read(given)
    self.last = settings and is_comparable(given) and keep(given, settings)
    return settings, mistake
  end
  local settings = inherit(last)
  local mistake = read_credentials(settings, given)
  if not mistake then return settings end
  options.release(settings)
  return nil, mistake
end

--- The next table is like no other.
function Reader:forget()
  self.last = nil
end

-- Checks both without making a secret of a string.
local function check_credentials(given)
  local mistake = options.read_one({}, "clientId", given.clientId)
  if mistake then return mistake end
  local ok, reason = check.credential(given.clientSecret)
  return not ok and "clientSecret " .. reason or nil
end

--- Checks what `read` would read.
---@param given corebank.auth.Options
---@return string? mistake
function Reader:check(given)
  if self.last and is_like(given, self.last) and type(given.clientSecret) == "string" then
    return check_credentials(given)
  end
  local settings, mistake = self:read(given)
  if not settings then return mistake end
  options.release(settings)
end

local alike = {}

---@return corebank.auth.Reader
function alike.reader()
  return setmetatable({}, Reader)
end

return alike
