--- What the clients of one credential share through a store: a token, the last failure, and the
-- turn to ask the bank.
--
-- The store sees sealed bytes under names that only a holder of the secret can compute. A store
-- that fails is no reason to have no token: it is reported, and the bank is asked as without one.

local core = require "corebank.auth.core"
local entry = require "corebank.auth.client.entry"
local problem = require "corebank.auth.exchange.problem"
local secret = require "corebank.auth.options.secret"

local LEASE_GRACE = 2                       -- seconds that a lease outlasts the flight's timeout
local FIRST_LOOK, LONGEST_LOOK = 0.01, 0.1  -- seconds between looks for what its holder got
local LEAST_TO_ASK = 1                      -- seconds left; or a quarter of the timeout
local LONGEST_REST = 1                      -- seconds for which a call may be kept off the bank

---@class corebank.auth.Shared
local Shared = {}
Shared.__index = Shared
Shared.__metatable = false

local settings_of = setmetatable({}, {__mode = "k"})   -- out of a dump's sight

-- ---- the store ---------------------------------------------------------------------------------

-- Once while one thing is done: who waits looks into the store again and again.
local function report(self, operation, fault)
  if self.reported[operation] then return end
  self.reported[operation] = true
  self.tell(operation, fault)
end

-- Not the store's: out of memory, and Ctrl-C, as lua raises it.
local function is_ours(fault)
  return fault == "not enough memory" or type(fault) == "string" and fault:find "interrupted!$"
end

-- Calls the store. Nil, and it has been reported, when that fails. What was in the way of something
-- that was done is reported, too.
local function call(self, operation, ...)
  local ok, result, fault = pcall(self.store[operation], self.store, ...)
  if not ok then
    if is_ours(result) then error(result, 0) end
    result, fault = nil, "it raised an error"
  end
  local remarked = result == true and type(fault) == "string"
  if result == nil and fault or remarked then report(self, operation, fault) end
  return result
end

-- A keyed hash of the headers that say what a token is for: a value may be a key itself.
local function headers_of(settings)
  if not settings.headerLines then return nil end
  local telling = require "corebank.auth.client.headers"(settings.headerLines)
  return telling and core.entry_name(settings.clientSecret, telling)
end

-- What tells entries apart.
local function context_of(settings, kind)
  local parts = {}
  for i, part in ipairs{kind, settings.url, settings.clientId, settings.clientCert or "",
    headers_of(settings)} do
    parts[i] = ("%d:%s"):format(#part, part)
  end
  return table.concat(parts)
end

-- The entry's name and context, known until a secret is changed: who waits asks again and again.
local function place(self, kind)
  local settings = settings_of[self]
  if self.changes ~= secret.changes then self.changes, self.places = secret.changes, {} end
  local known = self.places[kind]
  if not known then
    local context = context_of(settings, kind)
    known = {name = core.entry_name(settings.clientSecret, context), context = context}
    self.places[kind] = known
  end
  return known.name, known.context
end

-- Whether no handler that was told of the store has closed the client, and the secret with it.
local function is_open(self)
  return core.is_secret(settings_of[self].clientSecret)
end

local function get(self, kind)
  if not is_open(self) then return nil end
  local name, context = place(self, kind)
  local bytes = call(self, "get", name)
  if not bytes or not is_open(self) then return nil end
  if type(bytes) ~= "string" then
    return report(self, "get", "an entry is a " .. type(bytes) .. ", not a string")
  end
  local text = core.unseal(settings_of[self].clientSecret, context, bytes)
  if not text then report(self, "get", "the entry cannot be opened; it is damaged") end
  return text
end

local function put(self, kind, text, seconds)
  if not is_open(self) then return end
  local name, context = place(self, kind)
  call(self, "put", name, core.seal(settings_of[self].clientSecret, context, text), seconds)
end

-- ---- entries -----------------------------------------------------------------------------------

--- The token in the store.
---@return corebank.auth.Found?
function Shared:token()
  local text = get(self, "token")
  return text and entry.to_token(text, self.system)
end

--- The last failure, unless a token has come after it.
---@param found corebank.auth.Found? what `token` gave
---@return corebank.auth.Failure?
function Shared:failure(found)
  local text = get(self, "failure")
  local failure = text and entry.to_failure(text, self.system)
  if failure and not (found and found.departed >= failure.departed) then return failure end
end

-- Whoever slept past the end of a lease does not write over what came of a later request.
local function is_later(there, departed)
  return there ~= nil and there.departed > departed
end

---@param found corebank.auth.Found
function Shared:put_token(found)
  if is_later(self:token(), found.departed) then return end
  put(self, "token", entry.of_token(found, self.system), found.token:remaining())
  -- The failures before it are over: no later one begins where they ended.
  if is_open(self) and not self:failure(found) then
    call(self, "delete", (place(self, "failure")))
  end
end

---@param failure corebank.auth.Failure
function Shared:put_failure(failure)
  if is_later(self:failure(), failure.departed) then return end
  put(self, "failure", entry.of_failure(failure, self.system), entry.FAILURE_KEPT)
end

--- Says of this very token that it was rejected: others use it only when they can get no other.
---@param own corebank.auth.Token
---@param at number when, on the boot clock
---@param rejections integer how many there were in a row
function Shared:reject(own, at, rejections)
  self.reported = {}
  local found = self:token()
  if not found or found.token.accessToken ~= own.accessToken then return end
  found.isRejected, found.lastRejection, found.rejections = true, at, rejections
  put(self, "token", entry.of_token(found, self.system), found.token:remaining())
end

--- Removes all that these credentials have in the store.
---@return boolean # whether the store did
function Shared:forget()
  self.reported = {}
  local token_gone = call(self, "delete", (place(self, "token")))
  local failure_gone = is_open(self) and call(self, "delete", (place(self, "failure")))
  return token_gone == true and failure_gone == true
end

-- ---- turns -------------------------------------------------------------------------------------

-- A forked child is somebody else.
local function owner(self)
  local pid = self.system.pid()
  if pid ~= self.pid then self.pid, self.owner = pid, ("%d.%s"):format(pid, self.id) end
  return self.owner
end

-- The name that we have a lease of, or had until it ended. A secret that was changed meanwhile
-- gives it another one.
local function leased(self)
  return self.leasedBy == owner(self) and self.leased or nil
end

-- Until when the turn is needed: to the end of the call, or by one that may be left alone for so
-- many seconds only until it must be heard of again. Others may be waiting for it.
local function needed_until(self, alone)
  return math.min(self.deadline, alone and self.system.boot() + alone or math.huge)
end

-- Whether it is our turn to ask the bank; so it is when the store cannot say.
local function lease(self, patient, alone)
  local name = leased(self) or place(self, "token")
  local ends = needed_until(self, alone) + LEASE_GRACE
  local got = call(self, "lease", name, owner(self), ends - self.system.boot(), patient)
  if got then self.leased, self.leasedBy, self.leasedUntil = name, owner(self), ends end
  return got ~= false
end

--- Whether it is this process's turn.
---@return boolean
function Shared:holds_lease()
  return leased(self) ~= nil and self.system.boot() < self.leasedUntil
end

--- More time for the lease, if there is one that may end before its holder is heard of again.
---@param alone number? seconds for which nobody may be moving the holder on; nil: somebody is
function Shared:renew(alone)
  if leased(self) and self.leasedUntil < needed_until(self, alone) then
    lease(self, false, alone)
  end
end

--- Gives the lease back, if there is one.
function Shared:release()
  local name = leased(self)
  self.leased = nil
  if name then call(self, "release", name, self.leasedBy) end
end

local function timed_out()
  local trouble = problem.new("timeout",
    "another process is asking the bank, and its answer did not come in time", {attempts = 0})
  return nil, trouble.message, trouble
end

-- The token in the store, if it will do.
local function look(self, job)
  local found = self:token()
  return found and job.takes(found) and found.token, found
end

-- Asks the bank, unless the turn came so late that it would be in vain: then it is the next one's.
local function ask(self, job, timeout)
  if self.deadline - self.system.boot() < math.min(LEAST_TO_ASK, timeout / 4) then
    self:release()
    return timed_out()
  end
  return job.ask(self.deadline, function() return look(self, job) or nil end)
end

--- Gets a token: the one in the store, the one that the holder of the lease brings, or one that is
-- ours to ask for. Its outcome counts for all who wait, failure too.
---@param wait fun(transfer: nil, seconds: number)
---@param job table `urgent`: whether a caller waits, if not it is left to the holder of the lease;
--- `longest_alone()`: for how many seconds nobody may be moving this on, nil when somebody is;
--- `takes(found)`: whether the token in the store will do; `heeds(failure, since)`: the problem
--- that ends this, if any; `rest()`: seconds until the bank may be asked; `ask(deadline,
--- elsewhere)`: asks it, and `elsewhere()` when it denies a secret that was changed
---@return corebank.auth.Token?
---@return string?
---@return corebank.auth.Problem? # all nil: it is left to somebody else
function Shared:fetch(wait, job)
  self.reported = {}
  local timeout, began = settings_of[self].timeout, self.system.boot()
  local pause, ours = FIRST_LOOK, false
  self.deadline = began + timeout
  while true do
    -- Also once it is our turn: whoever had it before has put what came before letting go.
    local token, found = look(self, job)
    if token then return token end
    local failure = self:failure(found)
    local trouble = failure and job.heeds(failure, began)
    if trouble then return nil, trouble.message, trouble end
    local rest = ours and job.rest()
    if rest and (rest <= 0 or self.system.boot() >= self.deadline) then
      return ask(self, job, timeout)
    end
    if rest then
      wait(nil, rest)
      -- As without a store, this takes nothing from the call: a token may come that much later.
      self.deadline = math.min(self.deadline + rest, began + timeout + LONGEST_REST)
    end
    -- Or renewed: the machine may have slept in between.
    ours = lease(self, not job.urgent, job.longest_alone())
    if not ours then
      if not job.urgent then return nil end
      local left = self.deadline - self.system.boot()
      if left <= 0 then return timed_out() end
      wait(nil, math.min(pause, left))
      pause = math.min(2 * pause, LONGEST_LOOK)
    end
  end
end

local shared = {}

--- Joins a store.
---@param store corebank.auth.Store
---@param settings table what options.read made
---@param system table boot, wall, random, session, pid
---@param tell fun(operation: string, fault: string) told when the store fails
---@return corebank.auth.Shared
function shared.new(store, settings, system, tell)
  local self = setmetatable({store = store, system = system, tell = tell, reported = {},
    id = ("%08x"):format(math.floor(system.random() * 2 ^ 32))}, Shared)
  settings_of[self] = settings
  return self
end

return shared
