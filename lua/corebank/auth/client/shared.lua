--- What clients with the same credentials share through a store: a token, and the last failure.
--
-- The store gets sealed bytes, under names that only a holder of the secret can compute. A failure
-- of the store is reported, and the client then asks the bank as if it had no store.

local core = require "corebank.auth.core"
local entry = require "corebank.auth.client.entry"
local secret = require "corebank.auth.options.secret"
local settings_of = require "corebank.auth.client.settings"
local tell = require "corebank.auth.client.tell"
local try = require "corebank.auth.store.try"

---@class corebank.auth.Shared
local Shared = {}
Shared.__index = Shared
Shared.__metatable = false

-- ---- the store ---------------------------------------------------------------------------------

-- Reports a failure once for each operation, until `report_anew`: a client that waits reads the
-- store repeatedly.
local function report(self, operation, fault)
  if self.reported[operation] then return end
  self.reported[operation] = true
  tell(self.client, "store_failed", {operation = operation, fault = fault})
end

--- From now on, failures of the store are reported again.
function Shared:report_anew()
  self.reported = {}
end

--- Calls the store. If the call fails, reports the failure and returns nil. If the call succeeds
-- and returns a fault as well, the fault is reported, too.
---@param operation "get"|"put"|"delete"|"lease"|"release"
---@return any result
---@return number? left the seconds that are left, if `get` returns them
function Shared:call(operation, ...)
  local ok, result, fault, left = try(self.store[operation], self.store, ...)
  if not ok then result, fault = nil, "it raised an error" end
  if fault and (result == nil or type(fault) == "string") then report(self, operation, fault) end
  return result, left
end

-- A keyed hash of the headers that distinguish tokens: a header's value may be a secret.
local function headers_of(settings)
  if not settings.headerLines then return nil end
  local telling = require "corebank.auth.client.headers"(settings.headerLines)
  return telling and core.entry_name(settings.clientSecret, telling)
end

-- The text that distinguishes entries.
local function context_of(settings)
  local parts = {}
  for i, part in ipairs{settings.url, settings.clientId, settings.clientCert or "",
    headers_of(settings)} do
    parts[i] = ("%d:%s"):format(#part, part)
  end
  return table.concat(parts)
end

-- The entry's name and context. They are kept until a secret changes: a client that waits needs
-- them repeatedly.
local function place(self)
  local settings = settings_of[self.client]
  if self.changes ~= secret.changes then
    self.context = context_of(settings)
    self.name = core.entry_name(settings.clientSecret, self.context)
    self.changes = secret.changes   -- last: Ctrl-C may come in between
  end
  return self.name, self.context
end

-- False if an event handler has closed the client, and so the secret, after a failure of the store.
local function is_open(self)
  return core.is_secret(settings_of[self.client].clientSecret)
end

--- The name of the entry; nil when an event handler has closed the client.
---@return string?
function Shared:name_of_entry()
  return is_open(self) and place(self) or nil
end

-- The entry's text. If the store says how long it keeps the entry, also the end of this time,
-- counted from before the store was asked.
local function get(self, anew)
  if not is_open(self) then return nil end
  local name, context = place(self)
  local asked = self.system.boot()
  local bytes, left = self:call("get", name, anew)
  if not bytes or not is_open(self) then return nil end
  if type(bytes) ~= "string" then
    return report(self, "get", "an entry is a " .. type(bytes) .. ", not a string")
  end
  local text = core.unseal(settings_of[self.client].clientSecret, context, bytes)
  if not text then report(self, "get", "the entry cannot be opened; it is damaged") end
  return text, left and asked + left, bytes
end

-- `instead`: the bytes that the new ones replace. Returns false if the store has others by now.
local function put(self, found, failure, owner, instead)
  if not is_open(self) then return end
  local name, context = place(self)
  local text, seconds = entry.write(found, failure, self.system)
  local sealed = core.seal(settings_of[self.client].clientSecret, context, text)
  local done = self:call("put", name, sealed, seconds, owner, instead)
  self.owed = done == nil and not failure and found or nil
  return done
end

-- ---- the entry ---------------------------------------------------------------------------------

--- Reads the entry in the store.
---@param anew boolean? as in corebank.auth.Store
---@return corebank.auth.Found? found the token
---@return corebank.auth.Failure? failure the last one, unless a later request brought a token
---@return string? bytes the entry as the store has it
function Shared:look(anew)
  local text, keptUntil, bytes = get(self, anew)
  if not text then return nil end
  local found, failure = entry.read(text, self.system, keptUntil)
  return found, failure, bytes
end

local function is_later(there, departed)
  return there ~= nil and there.departed > departed
end

--- Puts a token into the store, and removes the failures before it: the next failure counts as the
-- first.
---@param found corebank.auth.Found
---@param owner string? the lease owner. Without it, the outcome of a later request is not
--- overwritten: this process may have slept past the end of its lease
function Shared:put_token(found, owner)
  if owner then return put(self, found, nil, owner) end
  local there, failure, bytes = self:look(true)
  self.owed = nil
  if is_later(there, found.departed) then return end
  put(self, found, is_later(failure, found.departed) and failure or nil, nil, bytes)
end

--- Puts a token into the store that the store did not accept when the token was new: the store may
-- work again by now.
function Shared:repay()
  local found = self.owed
  if not found then return end
  if found.token:expired() or found.isRejected then
    self.owed = nil
  else
    self:put_token(found)
  end
end

--- Puts a failure into the store, beside the token.
---@param failure corebank.auth.Failure
---@param owner string? the lease owner
function Shared:put_failure(failure, owner)
  local found, earlier = self:look(true)
  if is_later(found, failure.departed) or is_later(earlier, failure.departed) then return end
  put(self, found, failure, owner)
end

--- Marks this token in the store as rejected: others use it only when the bank gives no other.
---@param own corebank.auth.Token
---@param at number when, on the boot clock
---@param rejections integer the length of the series of rejections
---@return corebank.auth.Found? # the token in the store, if it is another one
function Shared:reject(own, at, rejections)
  local found, failure, bytes = self:look(true)
  if not found or found.token.accessToken ~= own.accessToken then return found end
  found.isRejected, found.lastRejection, found.rejections = true, at, rejections
  if put(self, found, failure, nil, bytes) == false then return (self:look(true)) end
end

--- Deletes the entry of these credentials in the store.
---@return boolean # whether the store has deleted it
function Shared:forget()
  self:report_anew()
  return self:call("delete", (place(self))) == true
end

local shared = {}

--- Makes the object by which a client uses the store in its settings.
---@param client corebank.auth.Client
---@return corebank.auth.Shared
function shared.new(client)
  return setmetatable({client = client, system = client.system, reported = {},
    store = settings_of[client].store}, Shared)
end

return shared
