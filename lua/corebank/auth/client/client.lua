--- Keeps a token: hands it out while it is good, refreshes it ahead of its end, fetches once for
-- all who wait.
--
-- A token is *fresh* (handed out), then *stale* (handed out, and refreshed behind the caller's
-- back), then *expired*, a little before the bank's own end (fetched, and waited for). A *flight*
-- gets a token, from the store or from the bank: it outlives the caller that started it, and
-- everybody who needs its outcome shares it, failure too.

-- Two more modules are loaded where they are needed: the command, when its token is in the store,
-- needs neither. auth.client loads them, for later there may be no descriptor to do it with.
local keeping = require "corebank.auth.client.keeping"
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
  return self.flight ~= nil and not self.flight.done
end

-- ---- the slow half of token() ------------------------------------------------------------------

local function depart(self, urgent)
  local fetching = require "corebank.auth.client.fetching"
  local own = fetching.prepare(self, settings_of[self], urgent, tell)
  self.flight = own
  if urgent then own:awaited() end
  own:depart()
  if not own.done then self.host.launch(own) end
  return own
end

-- Somebody waits for the flight from now on, and it must not lose its turn meanwhile.
local function join(self, own)
  if self.shared and own:longest_alone() and not own.done then self.shared:renew() end
  return own:awaited()
end

-- Moves the flight on. One that a script has left alone for long says how seldom it calls.
local function move_on(self)
  local own = self.flight
  own:advance()
  self.callsSeldom = self.callsSeldom or own.leftAlone
  return own
end

-- Hands out what is at hand; the refresh goes on in the background.
local function refresh_behind(self)
  if self:is_fetching() then
    local own = move_on(self)
    if not own.neglected or self.isClosed then return end
  end
  local now = self.system.boot()
  if now >= self.nextRefresh and keeping.rest_before_asking(self) <= 0
    and not self.latch:is_closed(now) then
    depart(self, false)
  end
end

-- In a plain script that calls seldom a refresh would come to nothing: it is waited for, once.
local function wait_a_moment(self, await)
  if not self.callsSeldom or not self:is_fetching() then return end
  local own, began = self.flight, self.system.boot()
  if own.wasWaitedFor then return end
  own.wasWaitedFor = true
  await(own, REFRESH_WAIT)
  tell(self, "waited", {seconds = self.system.boot() - began})
end

local function refuse(trouble)
  return nil, trouble.message, trouble
end

local function closed()
  return refuse(problem.new("closed", "the client was closed while waiting"))
end

-- The flight to wait for: the one in flight, or a new one. There may be no time left for one that
-- was left alone.
local function board(self)
  if self:is_fetching() then
    local own = move_on(self)
    if own.done and not own.neglected or not own.leftAlone or self.isClosed then
      return join(self, own)
    end
    own:abandon()
  end
  return join(self, depart(self, true))
end

-- `await` returns when the flight that it is given is done, or the seconds are over, if it is given
-- any.
local function fetch(self, await)
  if self.isClosed then return closed() end
  local began = self.system.boot()
  if self.latch:is_closed(began) then
    keeping.fall_back(self)
    if keeping.usable(self) then return self.current end
    return refuse(self.latch:remembered(began))
  end
  local own = board(self)
  local waits = not own.done
  if waits then await(own) end
  if self.isClosed then return closed() end
  if waits then tell(self, "waited", {seconds = self.system.boot() - began}) end
  if keeping.usable(self) then return self.current end
  if own.fault then error(own.fault, 0) end
  if own.problem then return refuse(own.problem) end
  return fetch(self, await)   -- rejected or interrupted meanwhile; few rejections count
end

local function hand_out(self, await)
  if keeping.usable(self) then
    refresh_behind(self)
    wait_a_moment(self, await)
    if keeping.usable(self) then return self.current end
  end
  return fetch(self, await)
end

-- Gives up what is in flight. Returns what a handler of events has raised then, if anything: to be
-- raised when all is done.
local function give_up(self, silence)
  local own = self.flight
  if not own then return nil end
  local ok, fault = pcall(own.abandon, own, silence)
  if ok then return nil end
  pcall(own.abandon, own, silence)   -- Ctrl-C may have come before it began
  return fault
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
  local token, message, trouble = hand_out(self, self.host.await_flight)
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
  return keeping.usable(self) and self.current or nil
end

--- Takes over what the store has, and asks nobody else.
---@return corebank.auth.Token? # the valid token at hand, as from `peek`
function Client:look()
  check_open(self)
  if self.shared and not self:is_fetching() then
    local found = self.shared:token()
    local failure = self.shared:failure(found)
    if failure then
      keeping.heed(self, failure)
      self.lastProblem = failure.problem
      self.lastProblemAt = failure.at - self.system.boot() + self.system.wall()
    end
    if found and not self.isClosed and keeping.wants(self, found) then
      keeping.take(self, found)
    end
  end
  return self:peek()
end

--- Waits for the refresh that is in flight, if there is one: a script that ends would lose it.
function Client:settle()
  if not self:is_fetching() then return end
  refresh_behind(self)
  if self:is_fetching() then self.host.await_flight(join(self, self.flight)) end
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
  local rest = keeping.rest_before_rejection(self)
  if rest > 0 then return false, rest end
  local alike, pause = keeping.reject(self)
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
  keeping.forget(self)
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
  keeping.forget(self)
  self.token = nil   -- the metatable's: it raises at its caller's line
  local fault = give_up(self, true)
  self.flight, self.rejected = nil, nil
  self.release()
  if fault then error(fault, 0) end
end

function Client:__tostring()
  return tostring(self:explain())
end

-- ---- making ------------------------------------------------------------------------------------

local function join_store(self, settings)
  local shared = require "corebank.auth.client.shared"   -- here: most clients have no store
  self.shared = shared.new(settings.store, settings, self.system, function(operation, fault)
    tell(self, "store_failed", {operation = operation, fault = fault})
  end)
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
---@param await fun(flight: corebank.auth.Flight) returns when the flight is done
---@return corebank.auth.Token? token
---@return string? message
---@return corebank.auth.Problem? problem
function client.token_and_refresh(self, await)
  local token, message, trouble = hand_out(self, await)
  while self:is_fetching() do await(join(self, self.flight)) end
  if token then return self:peek() or token end
  return nil, message, trouble
end

-- Without a valid token: as for a caller in need, but never waits for what comes.
local function tend_without(self, longest)
  self:look()   -- another process may have asked meanwhile
  if keeping.usable(self) or self:is_fetching() then return end
  local now = self.system.boot()
  if now >= math.min(self.nextRefresh, self.lastDeparture + longest)
    and keeping.rest_before_asking(self) <= 0 and not self.latch:is_closed(now) then
    depart(self, true)
  end
end

--- Fetches or refreshes when that is due, in the background: nobody is in need of a token, and a
-- bank that is down is asked less and less often.
---@param self corebank.auth.Client
---@param longest number? seconds until it is asked again at the latest while there is no valid
--- token; default: it may be a minute
function client.tend(self, longest)
  if self.isClosed or self.before(self.freshUntil, self.freshUntilWall) then return end
  if longest and not keeping.usable(self) and not self:is_fetching() then
    return tend_without(self, longest)
  end
  refresh_behind(self)
end

--- Makes a client.
---@param settings table what options.read made; its secret is the client's from now on
---@param system table boot, wall, steady, before, random, session, pid, url and transfer, as in the
--- core
---@param host table launch, await and threads: see host/blocking.lua
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
  keeping.begin(self, settings)
  if settings.store then join_store(self, settings) end
  return self
end

return client
