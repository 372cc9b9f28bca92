--- Keeps a token: hands it out while it is good, refreshes it ahead of its end, fetches once for
-- all who wait.
--
-- A token is *fresh* (handed out), then *stale* (handed out, and refreshed behind the caller's
-- back), then *expired*, a little before the bank's own end (fetched, and waited for). A *flight*
-- is one call of exchange.run, in a coroutine of its own: it outlives the caller that started it,
-- and everybody who needs its outcome shares it, failure too.

local exchange = require "corebank.auth.exchange"
local problem = require "corebank.auth.problem"
local secret = require "corebank.auth.secret"

local SHARE_REFRESHED_AHEAD = 0.2   -- of the lifetime
local LONGEST_AHEAD = 300           -- seconds
local SHARE_LEEWAY = 0.1
local LONGEST_LEEWAY = 10
local MOST_AHEAD = 0.5              -- of the lifetime, whatever refreshAhead says
local JITTER = 0.125                -- of the time refreshed ahead
local LEAST_BETWEEN_FLIGHTS = 1     -- seconds between the starts of two, whatever happens
local FIRST_RETRY, LONGEST_RETRY = 1, 60      -- of a refresh that failed
local FIRST_LATCH, LONGEST_LATCH = 5, 60      -- of a denial
local LEAST_GAIN = 1                -- seconds by which a new token must outlast the old one
local LEAST_BETWEEN_REJECTIONS = 5  -- a new token that is rejected too will not get better

---@class corebank.auth.Client
local Client = {}
Client.__index = Client
Client.__metatable = false

-- Proxy passwords and gateway keys are in them: no dump of a client shows its settings.
local settings_of = setmetatable({}, {__mode = "k"})

-- ---- events -----------------------------------------------------------------------------------

local function tell(self, name, fields)
  self.counters[name] = (self.counters[name] or 0) + 1
  if not self.onEvent then return end
  local event = fields or {}
  event.name, event.client = name, self.name
  self.onEvent(event)
end

-- ---- what is known of the token at hand -------------------------------------------------------

local function forget(self)
  self.current = nil
  self.freshUntil, self.freshUntilWall = -math.huge, -math.huge
end

-- Draws the line between fresh and stale, on the clocks that are cheapest to ask: it is what every
-- request asks for. The token's own end is kept on the exact ones.
local function fresh_for(self, seconds)
  self.freshUntil = self.system.steady() + seconds
  self.freshUntilWall = self.system.wall() + seconds
end

local function leeway_of(self, token)
  return self.leeway or math.min(SHARE_LEEWAY * token:remaining(), LONGEST_LEEWAY)
end

local function adopt(self, token)
  local lifetime = token:remaining()
  local ahead = self.refreshAhead or math.min(SHARE_REFRESHED_AHEAD * lifetime, LONGEST_AHEAD)
  ahead = math.min(ahead, MOST_AHEAD * lifetime)
  local leeway = leeway_of(self, token)
  self.current, self.currentLeeway = token, leeway
  fresh_for(self, lifetime - math.max(leeway, ahead * (1 - JITTER * self.system.random())))
end

local function usable(self)
  return self.current ~= nil and not self.current:expired(self.currentLeeway)
end

-- ---- outcomes ----------------------------------------------------------------------------------

-- A bank that gives no more time for being asked again is not asked again before the leeway.
local function gives_no_more(self, token)
  return usable(self) and token:remaining() < self.current:remaining() + LEAST_GAIN
end

local function succeeded(self, flight, token)
  local name = self.current and "refreshed" or "fetched"
  self.failures, self.denials, self.latch = 0, 0, nil
  if not gives_no_more(self, token) then
    adopt(self, token)
  else
    if token.accessToken ~= self.current.accessToken then
      -- The old one may end with the new one's issue.
      self.current, self.currentLeeway = token, leeway_of(self, token)
    end
    fresh_for(self, token:remaining() - self.currentLeeway)
  end
  tell(self, name, {seconds = self.system.boot() - flight.started})
end

local function backoff(first, longest, failures)
  return math.min(first * 2 ^ (failures - 1), longest)
end

-- Keeps callers off, and the refresh behind them.
local function latch(self, trouble, now)
  local seconds = trouble.retryAfter or 0
  if trouble.code == "denied" then
    self.denials = self.denials + 1
    seconds = math.max(seconds, backoff(FIRST_LATCH, LONGEST_LATCH, self.denials))
  end
  if seconds > 0 and (not self.latch or self.latch.ends < now + seconds) then
    self.latch = {problem = trouble, ends = now + seconds,
      version = secret.version(settings_of[self].clientSecret)}
  end
end

local function failed(self, flight, trouble)
  local now = self.system.boot()
  self.failures = self.failures + 1
  self.lastProblem, self.lastProblemAt = trouble, self.system.wall()
  local longest = backoff(FIRST_RETRY, LONGEST_RETRY, self.failures)
  self.nextRefresh = now + FIRST_RETRY + (longest - FIRST_RETRY) * self.system.random()
  latch(self, trouble, now)
  tell(self, trouble.code == "denied" and "denied" or "failed",
    {code = trouble.code, status = trouble.status, seconds = now - flight.started})
end

-- Whether callers are kept off. A denial is forgotten when the secret has been changed since.
local function is_latched(self, now)
  local kept = self.latch
  if not kept or now >= kept.ends then return false end
  if kept.problem.code == "denied"
    and secret.changed_since(settings_of[self].clientSecret, kept.version) then
    self.latch, self.denials = nil, 0
    return false
  end
  return true
end

-- ---- flights -----------------------------------------------------------------------------------

-- The flight is over, however; what it waited for holds the secret.
local function ground(self, flight)
  local wanted = flight.wanted
  flight.done, flight.wanted, flight.thread = true, false, false
  if self.flight == flight then self.flight = nil end
  if wanted and type(wanted) ~= "number" then wanted:close() end
end

local function land(self, flight, token, _, trouble)
  ground(self, flight)
  if token and token:remaining() <= leeway_of(self, token) then
    token, trouble = nil, problem.new("expired",
      "the bank's token has less time left than leeway asks for; make leeway smaller")
  end
  flight.problem = trouble
  if token then succeeded(self, flight, token) else failed(self, flight, trouble) end
end

-- Takes what the coroutine yielded or returned.
local function note(self, flight, ok, ...)
  if not ok then
    flight.fault = ...   -- out of memory, or a mistake of ours: not the world's doing
    ground(self, flight)
    error(flight.fault, 0)
  end
  if coroutine.status(flight.thread) == "dead" then return land(self, flight, ...) end
  flight.wanted = ...
  if type(flight.wanted) == "number" then
    flight.due = self.system.boot() + flight.wanted
  end
end

-- Whether what the flight waits for has come.
local function is_ready(self, flight)
  if type(flight.wanted) == "number" then return self.system.boot() >= flight.due end
  return flight.wanted:step()
end

--- Moves a flight on as far as it goes without waiting. Hosts call it.
function Client:advance(flight)
  if not flight.done and not flight.wanted then
    return ground(self, flight)   -- its start was interrupted
  end
  while not flight.done and is_ready(self, flight) do
    flight.wanted = false
    note(self, flight, coroutine.resume(flight.thread))
  end
end

local function depart(self)
  local system = self.system
  local flight = {started = system.boot(), done = false, wanted = false,
    thread = coroutine.create(exchange.run)}
  self.flight, self.lastFlight, self.lastDeparture = flight, flight, flight.started
  note(self, flight,
    coroutine.resume(flight.thread, settings_of[self], system, coroutine.yield))
  self:advance(flight)
  if not flight.done then self.host.launch(self, flight) end
  return flight
end

-- ---- the slow half of token() ------------------------------------------------------------------

-- Hands out what is at hand; the refresh goes on behind the caller's back.
local function refresh_behind(self)
  local now = self.system.boot()
  if self.flight then
    self:advance(self.flight)
  elseif now >= math.max(self.nextRefresh, self.lastDeparture + LEAST_BETWEEN_FLIGHTS)
    and not is_latched(self, now) then
    depart(self)
  end
end

local function remembered(kept, now)
  local old = kept.problem
  local again = problem.new(old.code, old.message, {status = old.status, attempts = old.attempts,
    retryable = old.retryable, remembered = true, retryAfter = kept.ends - now}, old:body())
  return nil, again.message, again
end

local function closed()
  local trouble = problem.new("closed", "the client was closed while waiting")
  return nil, trouble.message, trouble
end

-- The flight to wait for: the one under way, or a new one. Two never start within a second; whoever
-- has to rest for that takes part in what others start meanwhile. nil: there is an answer already.
local function board(self)
  local last = self.lastFlight
  while not self.flight do
    local rest = self.lastDeparture + LEAST_BETWEEN_FLIGHTS - self.system.boot()
    if rest <= 0 then return depart(self) end
    self.host.rest(self, rest)
    if self.isClosed or usable(self) then return nil end
    if self.lastFlight ~= last then return self.lastFlight end
  end
  self:advance(self.flight)
  return self.flight
end

-- Waits for a flight; the time until one may start counts as waiting, too.
local function fetch(self)
  if self.isClosed then return closed() end
  local began = self.system.boot()
  if is_latched(self, began) then return remembered(self.latch, began) end
  local flight = board(self)
  if flight and not flight.done then self.host.await(self, flight) end
  if self.isClosed then return closed() end
  tell(self, "waited", {seconds = self.system.boot() - began})
  if usable(self) then return self.current end
  if flight and flight.fault then error(flight.fault, 0) end
  if flight and flight.problem then return nil, flight.problem.message, flight.problem end
  return fetch(self)   -- rejected or interrupted meanwhile; one rejection in 5 s counts
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
  if usable(self) then
    refresh_behind(self)
    if usable(self) then return self.current end
  end
  local token, message, trouble = fetch(self)
  return token, message, trouble
end

--- The valid token at hand, or nil. No I/O, never waits.
---@return corebank.auth.Token?
function Client:peek()
  if usable(self) then return self.current end
end

--- The API rejected this token: drops it, if it is still the one at hand.
---@param rejected corebank.auth.Token
---@return boolean # whether it was dropped; false, too, for a second rejection within 5 s
function Client:invalidate(rejected)
  check_open(self)
  local now = self.system.boot()
  if not rejected or rejected ~= self.current
    or now < self.lastRejection + LEAST_BETWEEN_REJECTIONS then
    return false
  end
  self.lastRejection = now
  if self.flight then ground(self, self.flight) end   -- it was asked for before the rejection
  self.lastDeparture = -math.huge   -- the next may start at once; the 5 s above are enough
  forget(self)
  tell(self, "invalidated")
  return true
end

local Explanation = {__metatable = false}

function Explanation:__tostring()
  local line = ("%s: %s"):format(self.client, self.state)
  if self.remaining then line = ("%s, %d s left"):format(line, math.floor(self.remaining)) end
  if self.refreshIn then
    line = ("%s, refresh in %d s"):format(line, math.floor(self.refreshIn))
  end
  if self.problem then line = ("%s; last problem: %s"):format(line, self.problem) end
  return line
end

--- Why this token, until when, and what went wrong last. Holds no secret.
---@return table # client, state ("fresh", "stale", "expired", "none", "closed"), remaining and
--- refreshIn in seconds, inFlight, problem and problemAt, latchedFor in seconds, counters; tostring
--- gives one line
function Client:explain()
  local now = self.system.boot()
  local told = {client = self.name, state = "none", inFlight = self.flight ~= nil, counters = {}}
  if self.isClosed then
    told.state = "closed"
  elseif self.current then
    told.remaining = self.current:remaining()
    told.refreshIn = math.max(0, math.min(self.freshUntil - self.system.steady(),
      self.freshUntilWall - self.system.wall()))
    told.state = not usable(self) and "expired" or told.refreshIn > 0 and "fresh" or "stale"
  end
  if self.lastProblem then
    told.problem, told.problemAt = self.lastProblem.message, self.lastProblemAt
  end
  if self.latch and now < self.latch.ends then told.latchedFor = self.latch.ends - now end
  for name, count in pairs(self.counters) do told.counters[name] = count end
  return setmetatable(told, Explanation)
end

--- Ends the client: stops what is in the air, wipes the secret unless it was given as an object.
-- Whoever waits gets the problem "closed".
function Client:close()
  if self.isClosed then return end
  self.isClosed = true
  if self.flight then ground(self, self.flight) end
  self.lastFlight, self.latch = nil, nil
  forget(self)
  self.release()
end

function Client:__tostring()
  return tostring(self:explain())
end

local client = {}

--- Makes a client.
---@param settings table what options.read made; its secret is the client's from now on
---@param system table boot, wall, steady, before, random, url and transfer, as in the core
---@param host table launch, await and rest: see host/blocking.lua
---@param release function wipes what `settings` owns
---@return corebank.auth.Client
function client.new(settings, system, host, release)
  local self = setmetatable({
    system = system, host = host, release = release,
    before = system.before, onEvent = settings.onEvent,
    name = settings.origin, leeway = settings.leeway, refreshAhead = settings.refreshAhead,
    failures = 0, denials = 0, counters = {},
    nextRefresh = -math.huge, lastDeparture = -math.huge, lastRejection = -math.huge,
  }, Client)
  settings.onEvent = nil   -- the client's events are its own
  settings_of[self] = settings
  forget(self)
  return self
end

return client
