--- A client keeps a token: it returns the token while it is valid, refreshes the token before its
-- end, and makes one request for all callers that wait.
--
-- A token is *fresh*: it is returned. Then it is *stale*: it is returned, and refreshed in the
-- background. A little before its end it is *expired*: callers wait for a new token
-- (freshness.lua). A *flight* gets the next token (flight.lua). With a store, a *lease* decides
-- which client has the *turn* to ask the bank (turn.lua, lease.lua, shared.lua). After a denial
-- the *latch* stops requests to the bank for a while (latch.lua).

-- Modules that the command can do without, when its token is in the store, are loaded where they
-- are needed. auth.client loads them, for later there may be no descriptor to do it with.
local freshness = require "corebank.auth.client.freshness"
local next_token = require "corebank.auth.client.next_token"
local options = require "corebank.auth.options.read"
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
  if self.isClosed then error("the client is closed", 3) end
end

-- ---- methods ----------------------------------------------------------------------------------

--- A valid token: the one at hand, or one that is fetched now. In a plain script that waits, at
-- most `timeout` seconds and one more.
---@return corebank.auth.Token? token
---@return string? message
---@return corebank.auth.Problem? problem
function Client:token()
  if self.before(self.freshUntil, self.freshUntilWall) then return self.current end
  check_open(self)
  local token, message, trouble = next_token.hand_out(self)
  return token, message, trouble
end

--- One call to the bank with the client's options, as auth.authenticate makes. Changes nothing that
-- is kept or shared, and tells `onEvent` what auth.authenticate tells. After a refusal or a
-- Retry-After nothing keeps it off the bank: its caller must, for banks lock accounts.
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

--- The valid token at hand, or nil. No I/O, never waits.
---@return corebank.auth.Token?
function Client:peek()
  return freshness.usable(self) and self.current or nil
end

--- Takes over what the store has, and asks nobody else.
---@return corebank.auth.Token? # the valid token at hand, as from `peek`
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

--- Waits for the refresh that is in flight, if there is one: a script that ends would lose it.
function Client:settle()
  -- It may have been left alone for too long.
  if self.flight then next_token.refresh_in_background(self) end
  next_token.wait_for_flights(self)
end

-- Says in the store that the token at hand was rejected. A store that waits is told in a task where
-- nothing can wait: in nginx's header filter.
local function share_rejection(self)
  local shared = self.shared
  if not shared then return end
  local token, at, rejections = self.current, self.lastRejection, self.rejections
  local function share() shared:reject(token, at, rejections) end
  if shared.store.waits and self.host.may_wait() then
    self.host.spawn(share)
  else
    share()
  end
end

--- The API rejected this token. If it is still the one at hand, or the bank has given it again
-- meanwhile, it is given up, here and in the store, as soon as there is a next one: `token` waits
-- for that, and hands this one out again when the bank gives none.
---@param rejected corebank.auth.Token
---@return boolean # whether that counts; if not, `token` gives what it would have given anyway
---@return number? # it does not yet, but in so many seconds; nil: the token is not the one at hand,
--- or was rejected before
function Client:invalidate(rejected)
  check_open(self)
  if rejected ~= nil and type(rejected) ~= "table" then
    error("invalidate: a token is needed, not " .. type(rejected), 2)
  end
  if not rejected or not self.current or self.isRejected
    or rejected.accessToken ~= self.current.accessToken then
    return false
  end
  local rest = freshness.rest_before_rejection(self)
  if rest > 0 then return false, rest end
  local alike, pause = freshness.reject(self)
  local fault = next_token.give_up(self)   -- it was asked for before the rejection
  share_rejection(self)
  if fault then error(fault, 0) end
  tell(self, "invalidated", {alike = alike, pause = pause})
  return true
end

--- Drops the token, and all that these credentials have in the store.
---@return boolean # whether the store, if there is one, did so
function Client:forget()
  check_open(self)
  freshness.forget(self)
  self.latch:open()
  local fault = next_token.give_up(self)
  local done = not self.shared or self.shared:forget()
  if fault then error(fault, 0) end
  return done
end

--- Why this token, until when, and what went wrong last. Holds no secret.
---@return corebank.auth.Explanation # tostring gives one line
function Client:explain()
  local explain = require "corebank.auth.client.explain"
  return explain(self)
end

--- Ends the client: stops what is in flight, wipes the secret unless it was given as an object.
-- Whoever waits gets the problem "closed".
function Client:close()
  if self.isClosed then return end
  self.isClosed = true
  self.latch:open()
  freshness.forget(self)
  self.token = nil   -- the metatable's: it raises at its caller's line
  local fault = next_token.give_up(self)
  if self.lease then self.lease:release() end   -- Ctrl-C may have kept a flight from that
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
    token = Client.token,   -- every request calls it: found here, and not by way of the metatable
  }, Client)
  -- Where the core can it looks at the clocks itself, and calls that only when they say no.
  if system.window then self.token, self.openWindow = system.window(self, Client.token) end
  -- It may refer to the client, which nothing would collect then.
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
