--- What a client does when its token is not fresh: it refreshes the token in the background, or
-- makes the caller wait for the next token. The functions take the client.

local freshness = require "corebank.auth.client.freshness"
local problem = require "corebank.auth.exchange.problem"
local tell = require "corebank.auth.client.tell"

local REFRESH_WAIT = 1   -- seconds; how long a script that calls seldom waits for a refresh

local next_token = {}

local function start(self, isUrgent)
  local flight = require "corebank.auth.client.flight"
  return flight.start(self, isUrgent)
end

-- Continues the flight. A task that was idle for long shows that the script calls seldom.
local function move_on(self)
  local flight = self.flight
  self.host.poll()
  if flight == self.flight and flight.task:is_done() then flight:abandon() end
  self.callsSeldom = self.callsSeldom or flight.task.wasIdle
  return flight
end

-- Whether the bank may be asked, and `notBefore` on the boot clock is over.
local function may_start(self, notBefore)
  local now = self.system.boot()
  return now >= notBefore and freshness.rest_before_asking(self) <= 0
    and not self.latch:remembered(now)
end

--- Starts a refresh, unless there is one in flight or it is not the time for one.
function next_token.refresh_in_background(self)
  if self.flight then move_on(self) end
  if self.flight or self.isClosed or freshness.is_fresh(self) then return end
  if may_start(self, self.nextRefresh) then start(self, false) end
end

-- A plain script continues a refresh only while it calls us. A script that calls seldom therefore
-- waits for the refresh, once.
local function wait_a_moment(self)
  local flight = self.flight
  if not self.callsSeldom or not flight or flight.wasWaitedFor then return end
  local began = self.system.boot()
  flight.wasWaitedFor = true
  flight.task:wait(REFRESH_WAIT)
  tell(self, "waited", {seconds = self.system.boot() - began})
end

--- Abandons the flight.
---@return any fault what a handler of events raised meanwhile; the caller raises it when it is done
function next_token.give_up(self)
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

--- What callers of a closed client get.
function next_token.closed()
  return refuse(problem.new("closed", "the client was closed while waiting"))
end

-- The flight to wait for: the current one or a new one. A flight that was idle for long is
-- abandoned, because its time may be over.
local function urgent_flight(self)
  if self.flight then
    local flight = move_on(self)
    if self.isClosed or not flight.task.wasIdle or flight.task:is_done() then
      flight:make_urgent()
      return flight
    end
    local fault = next_token.give_up(self)
    if fault then error(fault, 0) end
  end
  return start(self, true)
end

-- Looks into the store before a flight starts. A flight needs a task, and a token that is there
-- needs none.
local function is_in_store(self)
  if not self.shared or self.flight then return false end
  self.shared:report_anew()
  if freshness.take(self, (self.shared:look())) then tell(self, "found") end
  return freshness.usable(self)   -- another task may have brought it while the store waited
end

local function fetch(self, deadline)
  if self.isClosed then return next_token.closed() end
  if is_in_store(self) then return self.current end
  if self.isClosed then return next_token.closed() end   -- by a handler, or while the store waited
  local began = self.system.boot()
  local remembered = self.latch:remembered(began)
  if remembered then
    self.isWithheld = false   -- a rejected token that has time left is better than none
    if freshness.usable(self) then return self.current end
    return refuse(remembered)
  end
  local flight = urgent_flight(self)
  local waits = not flight.task:is_done()
  if waits then flight.task:wait(deadline and deadline - began) end
  if self.isClosed then return next_token.closed() end
  if waits then tell(self, "waited", {seconds = self.system.boot() - began}) end
  if freshness.usable(self) then return self.current end
  if flight.fault then error(flight.fault, 0) end
  if flight.problem then return refuse(flight.problem) end
  if deadline and self.system.boot() >= deadline then
    return refuse(problem.new("timeout", "there was no token within the timeout of the request"))
  end
  -- It was rejected or interrupted meanwhile. Few rejections count, so this ends.
  return fetch(self, deadline)
end

--- Returns a valid token, as Client:token does: the current one, or the next one after a wait.
---@param deadline number? on the boot clock; without it, the flight's own limit counts
function next_token.hand_out(self, deadline)
  if freshness.usable(self) then
    next_token.refresh_in_background(self)
    wait_a_moment(self)
    if freshness.usable(self) then return self.current end
  end
  return fetch(self, deadline)
end

--- Waits until no flight is left.
function next_token.wait_for_flights(self)
  while self:is_fetching() do
    local flight = self.flight
    flight:make_urgent()
    flight.task:wait()
  end
end

--- As hand_out, and waits for the refresh that it started. For clients that wait in parallel.
function next_token.hand_out_and_refresh(self)
  local token, message, trouble = next_token.hand_out(self)
  next_token.wait_for_flights(self)
  if token then return self:peek() or token end
  return nil, message, trouble
end

--- Fetches or refreshes in the background when it is time. A bank that is down is asked less and
-- less often.
---@param longest number? seconds, the longest pause between two attempts while there is no valid
--- token; default: up to a minute
function next_token.tend(self, longest)
  if self.isClosed then return end
  if self.shared and not self.flight then self.shared:repay() end
  if self.isClosed or freshness.is_fresh(self) then return end
  if not longest or self.flight or freshness.usable(self) then
    return next_token.refresh_in_background(self)
  end
  self:look()   -- another process may have asked meanwhile
  if self.isClosed or freshness.usable(self) or self.flight then return end
  if may_start(self, math.min(self.nextRefresh, self.lastDeparture + longest)) then
    start(self, true)
  end
end

return next_token
