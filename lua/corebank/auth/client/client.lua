--- A client keeps a token: it returns the token while it is valid, refreshes the token before its
-- end, and makes one request for all callers that wait.
--
-- A token is *fresh*: it is returned. Then it is *stale*: it is returned, and refreshed in the
-- background. A little before its end it is *expired*: callers wait for a new token
-- (freshness.lua). A *flight* gets the next token (flight.lua). With a store, a *lease* decides
-- which client has the *turn* to ask the bank (turn.lua, lease.lua, shared.lua). After a denial
-- the *latch* stops requests to the bank for a while (latch.lua).

-- Modules that the command does not need when the token is in the store are loaded where they are
-- used. auth.client loads them at once, because later there may be no file descriptor for it.
local freshness = require "corebank.auth.client.freshness"
local next_token = require "corebank.auth.client.next_token"
local options = require "corebank.auth.options.read"
local rejection = require "corebank.auth.client.rejection"
local settings_of = require "corebank.auth.client.settings"
local tell = require "corebank.auth.client.tell"

---@class corebank.auth.Client
local Client = {}
Client.__index = Client
Client.__metatable = false

--- Whether a request is in flight.
---@return boolean
function Client:is_fetching()
  return self.flight ~= nil and not self.flight.task:is_done()
end

local function check_open(self)
  if not settings_of[self] then   -- bank.request{…}, for example
    error("this method needs a client before a colon, as in bank:request{…}", 3)
  end
  if self.isClosed then error("the client is closed", 3) end
end

-- ---- methods ----------------------------------------------------------------------------------

--- A valid token: the current one, or a new one after a wait. A plain script waits at most
-- `timeout` seconds and one more.
---@return corebank.auth.Token? token
---@return string? message
---@return corebank.auth.Problem? problem
function Client:token()
  if self.before(self.freshUntil, self.freshUntilWall) then return self.current end
  check_open(self)
  local token, message, trouble = next_token.hand_out(self)
  return token, message, trouble
end

--- One call to the bank with the client's options, as auth.authenticate makes. It changes nothing
-- that is kept or shared, and gives `onEvent` the events of auth.authenticate. It ignores the pause
-- after a refusal or a Retry-After: the caller must pause, because banks lock accounts.
---@return corebank.auth.Token? token
---@return string? message
---@return corebank.auth.Problem? problem
function Client:authenticate()
  check_open(self)
  local unable = self.host.may_wait()
  if unable then error("authenticate: " .. unable, 2) end
  local exchange = require "corebank.auth.exchange.exchange"
  local ok, token, message, trouble = pcall(exchange.call, {settings = settings_of[self],
    system = self.system, host = self.host, tell = self.onEvent})
  if self.isClosed then return next_token.closed() end
  if not ok then error(token, 0) end
  if token then return token end   -- alone, fit for table.insert
  return nil, message, trouble
end

--- Sends a request to the API with a valid token, and waits for the reply. docs/requests.md has
-- the rules. Any answer is a reply, whatever its status.
--
-- A mistake in `given` raises at the caller's level.
---@param given corebank.auth.RequestOptions
---@return corebank.auth.Reply? reply
---@return string? message
---@return corebank.auth.Problem? problem with `sent`: whether the request left
function Client:request(given)
  check_open(self)
  local unable = self.host.may_wait()
  if unable then error("request: " .. unable, 2) end
  local requests = require "corebank.auth.client.requests"   -- most clients have none
  local call, mistake = requests.new(self, given)
  if not call then error("request: " .. mistake, 2) end
  local ok, reply, message, trouble = pcall(call.run, call)
  call:close()
  if not ok then error(reply, 0) end
  if reply then return reply end   -- alone, fit for table.insert
  return nil, message, trouble
end

--- Sends many requests in parallel, each as `request` does, and waits for all.
--
-- A mistake in the list raises at the caller's level, before anything is sent.
---@param list corebank.auth.RequestOptions[]
---@param given {parallel: integer?, onProgress: fun(done: integer, total: integer)?}?
---@return corebank.auth.RequestResult[] # one for each element, in the list's order
function Client:requestAll(list, given)
  check_open(self)
  local unable = self.host.may_wait()
  if unable then error("requestAll: " .. unable, 2) end
  local requests = require "corebank.auth.client.requests"
  local results, mistake = requests.all(self, list, given)
  if not results then error("requestAll: " .. mistake, 2) end
  return results
end

--- The current token if it is valid, or nil. No I/O, never waits.
---@return corebank.auth.Token?
function Client:peek()
  return freshness.usable(self) and self.current or nil
end

--- Takes the token of the store if that is newer. Does not ask the bank.
---@return corebank.auth.Token? # the current token, as from `peek`
function Client:look()
  check_open(self)
  if self.shared and not self.flight then
    self.shared:report_anew()
    local found, failure = self.shared:look()
    if failure then freshness.heed(self, failure) end
    freshness.take(self, found)
  end
  return self:peek()
end

--- Waits for the refresh that is in flight, if any: the end of the script would abandon it.
function Client:settle()
  -- A flight that was idle for too long is replaced.
  if self.flight then next_token.refresh_in_background(self) end
  next_token.wait_for_flights(self)
end

--- Reports that the API rejected this token. If it is still the current one, also because the bank
-- gave it again, it is replaced here and in the store: `token` waits for the next one, and returns
-- this one again only if the bank gives none. If the store has the next one already, it is taken
-- from there: the bank may have revoked this one for it.
---@param rejected corebank.auth.Token
---@return boolean # whether the rejection counts. If not, the bank is not asked
---@return number? # the seconds after which a rejection would count; nil if the token is not the
--- current one, or was rejected before
function Client:invalidate(rejected)
  check_open(self)
  if rejected ~= nil and type(rejected) ~= "table" then
    error("invalidate: a token is needed, not " .. type(rejected), 2)
  end
  if not rejected or not self.current or rejected.accessToken ~= self.current.accessToken then
    return false
  end
  local rest = freshness.rest_before_rejection(self)
  if self.isRejected or rest > 0 then
    rejection.look_again(self)
    return false, not self.isRejected and rest or nil
  end
  local alike, pause = freshness.reject(self)
  -- If the bank has been asked already, it may have revoked this token for the one that it sends.
  local fault
  if not (self.flight and self.flight.hasAsked) then fault = next_token.give_up(self) end
  rejection.share(self)
  if fault then error(fault, 0) end
  tell(self, "invalidated", {alike = alike, pause = pause})
  return true
end

--- Drops the token, and everything that the store has for these credentials.
---@return boolean # whether the store did so; true without a store
function Client:forget()
  check_open(self)
  freshness.forget(self)
  self.latch:open()
  local fault = next_token.give_up(self)
  local done = not self.shared or self.shared:forget()
  if fault then error(fault, 0) end
  return done
end

--- The state of the client, its token and the last problem. Contains no secret.
---@return corebank.auth.Explanation # tostring gives one line
function Client:explain()
  local explain = require "corebank.auth.client.explain"
  return explain(self)
end

--- Closes the client: ends its flight, and wipes the secret unless that was given as an object.
-- Callers that wait get the problem "closed".
function Client:close()
  if self.isClosed then return end
  self.isClosed = true
  self.latch:open()
  freshness.forget(self)
  self.token = nil   -- from now on that of the metatable, which raises at the caller's line
  local fault = next_token.give_up(self)
  if self.lease then self.lease:release() end   -- a flight that Ctrl-C ended has not done it
  self.rejected = nil
  options.release(settings_of[self])
  if fault then error(fault, 0) end
end

function Client:__tostring()
  return tostring(self:explain())
end

-- ---- making ------------------------------------------------------------------------------------

local client = {}

--- Whether a value is a client.
---@param value any
---@return boolean
function client.is(value)
  return settings_of[value] ~= nil
end

--- Makes a client.
---@param settings table what options.read made; its secret is the client's from now on
---@param system table boot, wall, steady, before, random, session, pid, url and transfer, as in the
--- core
---@param host table see host/scheduler.lua
---@return corebank.auth.Client
function client.new(settings, system, host)
  local self = setmetatable({
    system = system, host = host, before = system.before,
    onEvent = settings.onEvent, name = settings.origin, counters = {},
    token = Client.token,   -- every request calls it: this saves the access to the metatable
  }, Client)
  -- The core's `token` compares the clocks, and calls Client.token only when the window is over.
  if system.window then self.token, self.openWindow = system.window(self, Client.token) end
  -- The handler may refer to the client, which then would never be collected.
  if settings.onEvent then settings.onEvent = nil end
  settings_of[self] = settings
  freshness.begin(self, settings)
  if settings.store then   -- most clients have none
    self.shared = require "corebank.auth.client.shared".new(self)
    self.lease = require "corebank.auth.client.lease".new(self.shared, system)
  end
  return self
end

return client
