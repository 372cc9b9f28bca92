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

-- Once for each operation, until `report_anew`: who waits looks into the store again and again.
local function report(self, operation, fault)
  if self.reported[operation] then return end
  self.reported[operation] = true
  tell(self.client, "store_failed", {operation = operation, fault = fault})
end

--- Reports what fails from now on, though it may have failed before.
function Shared:report_anew()
  self.reported = {}
end

--- Calls the store. Nil, and it has been reported, when that fails. What was in the way of
-- something that was done is reported, too.
---@param operation "get"|"put"|"delete"|"lease"|"release"
---@return any result
---@return number? left what `get` says of the time left
function Shared:call(operation, ...)
  local ok, result, fault, left = try(self.store[operation], self.store, ...)
  if not ok then result, fault = nil, "it raised an error" end
  if fault and (result == nil or type(fault) == "string") then report(self, operation, fault) end
  return result, left
end

-- A keyed hash of the headers that say what a token is for: a value may be a key itself.
local function headers_of(settings)
  if not settings.headerLines then return nil end
  local telling = require "corebank.auth.client.headers"(settings.headerLines)
  return telling and core.entry_name(settings.clientSecret, telling)
end

-- What tells entries apart.
local function context_of(settings)
  local parts = {}
  for i, part in ipairs{settings.url, settings.clientId, settings.clientCert or "",
    headers_of(settings)} do
    parts[i] = ("%d:%s"):format(#part, part)
  end
  return table.concat(parts)
end

-- The entry's name and context, known until a secret is changed: who waits asks again and again.
local function place(self)
  local settings = settings_of[self.client]
  if self.changes ~= secret.changes then
    self.context = context_of(settings)
    self.name = core.entry_name(settings.clientSecret, self.context)
    self.changes = secret.changes   -- last: Ctrl-C may come in between
  end
  return self.name, self.context
end

-- Whether no handler that was told of the store has closed the client, and the secret with it.
local function is_open(self)
  return core.is_secret(settings_of[self.client].clientSecret)
end

--- The name of the entry; nil when a handler that was told of the store has closed the client.
---@return string?
function Shared:name_of_entry()
  return is_open(self) and place(self) or nil
end

-- Its text; and until when it is kept, counted from before the question, if the store says so.
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
  return text, left and asked + left
end

local function put(self, found, failure, owner)
  if not is_open(self) then return end
  local name, context = place(self)
  local text, seconds = entry.write(found, failure, self.system)
  local sealed = core.seal(settings_of[self.client].clientSecret, context, text)
  local done = self:call("put", name, sealed, seconds, owner)
  self.owed = done == nil and not failure and found or nil
end

-- ---- the entry ---------------------------------------------------------------------------------

--- What is in the store.
---@param anew boolean? as in corebank.auth.Store
---@return corebank.auth.Found? found the token
---@return corebank.auth.Failure? failure the last one, unless a token came of a later request
function Shared:look(anew)
  local text, keptUntil = get(self, anew)
  if text then return entry.read(text, self.system, keptUntil) end
end

local function is_later(there, departed)
  return there ~= nil and there.departed > departed
end

--- Puts a token there. The failures before it are over: no later one begins where they ended.
---@param found corebank.auth.Found
---@param owner string? whose the lease is. Without it, what came of a later request remains:
--- whoever slept past the end of a lease does not write over that
function Shared:put_token(found, owner)
  if owner then return put(self, found, nil, owner) end
  local there, failure = self:look(true)
  self.owed = nil
  if is_later(there, found.departed) then return end
  put(self, found, is_later(failure, found.departed) and failure or nil)
end

--- Puts the token there that the store did not take when it was new: it may work again by now, and
-- have lost what it had.
function Shared:repay()
  local found = self.owed
  if not found then return end
  if found.token:expired() or found.isRejected then
    self.owed = nil
  else
    self:put_token(found)
  end
end

--- Puts a failure there, beside the token.
---@param failure corebank.auth.Failure
---@param owner string? whose the lease is
function Shared:put_failure(failure, owner)
  local found, earlier = self:look(true)
  if is_later(found, failure.departed) or is_later(earlier, failure.departed) then return end
  put(self, found, failure, owner)
end

--- Says of this very token that it was rejected: others use it only when they can get no other.
---@param own corebank.auth.Token
---@param at number when, on the boot clock
---@param rejections integer how many there were in a row
function Shared:reject(own, at, rejections)
  self:report_anew()
  local found, failure = self:look(true)
  if not found or found.token.accessToken ~= own.accessToken then return end
  found.isRejected, found.lastRejection, found.rejections = true, at, rejections
  put(self, found, failure)
end

--- Removes what these credentials have in the store.
---@return boolean # whether the store did
function Shared:forget()
  self:report_anew()
  return self:call("delete", (place(self))) == true
end

local shared = {}

--- Joins the store of a client's settings.
---@param client corebank.auth.Client
---@return corebank.auth.Shared
function shared.new(client)
  return setmetatable({client = client, system = client.system, reported = {},
    store = settings_of[client].store}, Shared)
end

return shared
