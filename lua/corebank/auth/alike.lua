--- Reads one table of options after the other. Most lists are of one bank: what is alike in them is
-- read once, and set up once for each handle of libcurl, and of each table the credentials alone.

local check = require "corebank.auth.check"
local core = require "corebank.auth.core"
local options = require "corebank.auth.options"

-- Whether a table differs from the last one in nothing but its credentials.
local function is_like(given, last)
  last.fields.clientId, last.fields.clientSecret = given.clientId, given.clientSecret
  return core.same_fields(given, last.fields, last.count)
end

-- Whether the next table may be compared with this one. A key's passphrase is wiped with its call.
local function is_comparable(given)
  return getmetatable(given) == nil and given.clientKeyPassword == nil
end

local function read_credentials(settings, given)
  return options.read_one(settings, "clientId", given.clientId)
    or options.read_one(settings, "clientSecret", given.clientSecret)
end

-- Settings that inherit what is alike: there is no copy of it. What a call writes is their own, or
-- all would share it.
local function inherit(last)
  last.inheritance = last.inheritance or {__index = last}
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
    self.last = settings and is_comparable(given) and settings
    if self.last then options.keep(given, settings) end
    return settings, mistake
  end
  local settings = inherit(last)
  local mistake = read_credentials(settings, given)
  if not mistake then return settings end
  options.release(settings)
  return nil, mistake
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
