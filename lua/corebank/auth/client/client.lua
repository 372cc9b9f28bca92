--- Keeps a token: hands it out while it is good, refreshes it ahead of its end, fetches once for
-- all who wait.
--
-- A token is *fresh* (handed out), then *stale* (handed out, and refreshed in the background), then
-- *expired*, a little before the bank's own end (fetched, and waited for): freshness.lua. A
-- *flight* gets the next one (flight.lua); where clients share a store it takes its *turn* to ask
-- the bank by a *lease* (turn.lua, lease.lua, shared.lua). After a refusal the *latch* keeps
-- callers off the bank (latch.lua).

-- Modules that the command can do without, when its token is in the store, are loaded where they
-- are needed. auth.client loads them, for later there may be no descriptor to do it with.
local freshness = require "corebank.auth.client.freshness"
local problem = require "corebank.auth.exchange.problem"

---@class corebank.auth.Client
local Client = {}
Client.__index = Client
Client.__metatable = false

-- Proxy passwords and gateway keys are in them: no dump of a client shows its settings.
local settings_of = setmetatable({}, {__mode = "k"})

local REFRESH_WAIT = 1   -- seconds that a script which calls seldom waits for a refresh

local function tell(self, name, fields)
  self.counters[name] = (self.counters[name] or 0) + 1
  if not self.onEvent then return end
  local event = fields or {}
  event.name, event.client = name, self.name
  self.onEvent(event)
end

--- Whether a request is in flight.
---@return boolean
function Client:is_fetching()
  return self.flight ~= nil
end

-- ---- the slow half of token() ------------------------------------------------------------------

local function start(self, isUrgent)
  local flight = require "corebank.auth.client.flight"
  return flight.start(self, settings_of[self], isUrgent, tell)
end

-- Moves the flight on. One that a script has left alone says how seldom it calls.
local function move_on(self)
  local flight = self.flight
  self.host.poll()
  if flight == self.flight and flight.task:is_done() then flight:abandon() end
  self.callsSeldom = self.callsSeldom or flight.task.wasIdle
  return flight
end

-- Starts a refresh, unless there is one in flight or it is not the time for one.
local function refresh_in_background(self)
  if self.flight then move_on(self) end
  if self.flight or self.isClosed or freshness.is_fresh(self) then return end
  local now = self.system.boot()
  if now >= self.nextRefresh and freshness.rest_before_asking(self) <= 0
    and not self.latch:is_closed(now) then
    start(self, false)
  end
end

-- In a plain script that calls seldom a refresh would come to nothing: it is waited for, once.
local function wait_a_moment(self)
  local flight = self.flight
  if not self.callsSeldom or not flight or flight.wasWaitedFor then return end
  local began = self.system.boot()
  flight.wasWaitedFor = true
  flight:wait(REFRESH_WAIT)
  tell(self, "waited", {seconds = self.system.boot() - began})
end

-- Gives up what is in flight. Returns what a handler of events has raised then, if anything: to be
-- raised when all is done.
local function give_up(self)
  local flight = self.flight
  if not flight then return nil end
  local ok, fault = pcall(flight.abandon, flight)
  if not ok then pcall(flight.abandon, flight) end   -- Ctrl-C may have come before it began
  if self.flight == flight then self.flight = nil end   -- a handler may have started another
  return fault
end

local function refuse(trouble)
  return nil, trouble.message, trouble
end

local function closed()
  return refuse(problem.new("closed", "the client was closed while waiting"))
end

-- The flight to wait for: the one in flight, or a new one. There may be no time left for one that
-- was left alone.
local function urgent_flight(self)
  if self.flight then
    local flight = move_on(self)
    if self.isClosed or not flight.task.wasIdle
      or flight.task:is_done() and not flight.wasDropped then
      flight:make_urgent()
      return flight
    end
    local fault = give_up(self)
    if fault then error(fault, 0) end
  end
  return start(self, true)
end

-- Takes a token from the store, if there is one and it will do. Whether it did.
local function take_over(self, found)
  if not found or self.isClosed or not freshness.wants(self, found) then return false end
  freshness.take(self, found)
  return true
end

-- Looks before a flight starts, as that takes a task: nobody waits for what is there already.
local function is_in_store(self)
  if not self.shared or self.flight then return false end
  self.shared:report_anew()
  if not take_over(self, self.shared:token()) then return false end
  tell(self, "found")
  return freshness.usable(self)
end

local function fetch(self)
  if self.isClosed then return closed() end
  if is_in_store(self) then return self.current end
  local began = self.system.boot()
  if self.latch:is_closed(began) then
    freshness.fall_back(self)
    if freshness.usable(self) then return self.current end
    return refuse(self.latch:remembered(began))
  end
  local flight = urgent_flight(self)
  local waits = not flight.task:is_done()
  if waits then flight:wait() end
  if self.isClosed then return closed() end
  if waits then tell(self, "waited", {seconds = self.system.boot() - began}) end
  if freshness.usable(self) then return self.current end
  if flight.fault then error(flight.fault, 0) end
  if flight.problem then return refuse(flight.problem) end
  return fetch(self)   -- rejected or interrupted meanwhile; few rejections count
end

local function hand_out(self)
  if freshness.usable(self) then
    refresh_in_background(self)
    wait_a_moment(self)
    if freshness.usable(self) then return self.current end
  end
  return fetch(self)
end

-- Waits for what is in flight, if anything.
local function wait_for_flight(self)
  local flight = self.flight
  if not flight then return end
  flight:make_urgent()
  flight:wait()
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
  local token, message, trouble = hand_out(self)
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
  if self.isClosed then return closed() end
  if not ok then error(token, 0) end
  if token then return token end   -- alone, fit for table.insert
  return nil, message, trouble
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
    local found = self.shared:token()
    local failure = self.shared:failure(found)
    if failure then
      freshness.heed(self, failure)
      self.lastProblem = failure.problem
      self.lastProblemAt = failure.at - self.system.boot() + self.system.wall()
    end
    take_over(self, found)
  end
  return self:peek()
end

--- Waits for the refresh that is in flight, if there is one: a script that ends would lose it.
function Client:settle()
  if self.flight then refresh_in_background(self) end   -- it may have been left alone for too long
  wait_for_flight(self)
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
  local fault = give_up(self)   -- it was asked for before the rejection
  if self.shared then self.shared:reject(self.current, self.lastRejection, self.rejections) end
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
  local fault = give_up(self)
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
  local fault = give_up(self)
  self.rejected = nil
  self.release()
  if fault then error(fault, 0) end
end

function Client:__tostring()
  return tostring(self:explain())
end

-- ---- making ------------------------------------------------------------------------------------

local function join_store(self, settings)
  local lease = require "corebank.auth.client.lease"   -- here: most clients have no store
  local shared = require "corebank.auth.client.shared"
  self.shared = shared.new(settings.store, settings, self.system, function(operation, fault)
    tell(self, "store_failed", {operation = operation, fault = fault})
  end)
  self.lease = lease.new(self.shared, self.system)
end

local client = {}

--- Whether a value is a client.
---@param value any
---@return boolean
function client.is(value)
  return settings_of[value] ~= nil
end

--- token(), and what it began in the background, too, for one of many who wait side by side.
---@param self corebank.auth.Client
---@return corebank.auth.Token? token
---@return string? message
---@return corebank.auth.Problem? problem
function client.token_and_refresh(self)
  local token, message, trouble = hand_out(self)
  while self.flight do wait_for_flight(self) end
  if token then return self:peek() or token end
  return nil, message, trouble
end

-- Without a valid token: as for a caller in need, but never waits for what comes.
local function tend_without(self, longest)
  self:look()   -- another process may have asked meanwhile
  if freshness.usable(self) or self.flight then return end
  local now = self.system.boot()
  if now >= math.min(self.nextRefresh, self.lastDeparture + longest)
    and freshness.rest_before_asking(self) <= 0 and not self.latch:is_closed(now) then
    start(self, true)
  end
end

--- Fetches or refreshes when that is due, in the background: nobody is in need of a token, and a
-- bank that is down is asked less and less often.
---@param self corebank.auth.Client
---@param longest number? seconds until it is asked again at the latest while there is no valid
--- token; default: it may be a minute
function client.tend(self, longest)
  if self.isClosed or freshness.is_fresh(self) then return end
  if longest and not self.flight and not freshness.usable(self) then
    return tend_without(self, longest)
  end
  refresh_in_background(self)
end

--- Makes a client.
---@param settings table what options.read made; its secret is the client's from now on
---@param system table boot, wall, steady, before, random, session, pid, url and transfer, as in the
--- core
---@param host table see host/scheduler.lua
---@param release function wipes what `settings` owns
---@return corebank.auth.Client
function client.new(settings, system, host, release)
  local self = setmetatable({
    system = system, host = host, release = release, before = system.before,
    onEvent = settings.onEvent, name = settings.origin, counters = {},
    token = Client.token,   -- every request calls it: found here, and not by way of the metatable
  }, Client)
  -- Where the core can it looks at the clocks itself, and calls that only when they say no.
  if system.window then self.token, self.openWindow = system.window(self, Client.token) end
  settings_of[self] = settings
  freshness.begin(self, settings)
  if settings.store then join_store(self, settings) end
  return self
end

return client
