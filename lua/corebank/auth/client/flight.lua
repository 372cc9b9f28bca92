--- Work that outlives the caller who started it: a coroutine, and what it waits for.
--
-- The coroutine yields a transfer, another flight, or nil and a number of seconds. Nothing here
-- waits; a host (host/) calls `advance` until the flight is done. What a coroutine is, is the
-- host's affair, too: its `threads` has create, resume, status and yield.

---@class corebank.auth.Flight
---@field started number on the boot clock
---@field done boolean
---@field wanted table? the transfer or the flight it waits for
---@field due number? on the boot clock, when it waits for seconds instead
---@field left number since when it is left alone, on the boot clock
---@field patience number? seconds for which it may be, unless somebody waits; after that its time
--- limits say nothing of the bank
---@field isAwaited boolean whether somebody waits
---@field moved function? called whenever somebody has moved it on and it still waits
---@field leftAlone boolean whether it was left alone for longer
---@field neglected boolean whether that is why it came to nothing
---@field problem corebank.auth.Problem? why there is no token
---@field fault any? what it raised: out of memory, or a mistake of ours
local Flight = {}
Flight.__index = Flight

local function is_flight(wanted)
  return getmetatable(wanted) == Flight
end

-- Over, however. One by one: Ctrl-C raises anywhere, and what it leaves, before `done`, is a flight
-- that `advance` can finish.
local function finish(self, token, trouble)
  if is_flight(self.wanted) then self.wanted:deserted() end
  self.wanted, self.due = nil, nil
  self.done = true
  self.problem = trouble
  self.over(self, token, trouble)
  self.over, self.thread = nil, nil
end

local function fail(self, fault)
  self.fault = fault
  finish(self)
  error(fault, 0)
end

-- Takes what the coroutine yielded or returned.
local function note(self, ok, ...)
  if self.abandoned and (ok or self.silenced) then return finish(self) end
  if not ok then fail(self, (...)) end
  if self.threads.status(self.thread) == "dead" then
    local token, _, trouble = ...
    return finish(self, token, trouble)
  end
  local wanted, seconds = ...
  self.left = self.system.boot()
  self.wanted, self.due = wanted, seconds and self.left + seconds
end

-- Whether what the flight waits for has come, and whether the engine has been stepped.
local function is_ready(self, stepped)
  local wanted = self.wanted
  if not wanted then return self.system.boot() >= self.due, stepped end
  if is_flight(wanted) then
    stepped = wanted:advance(stepped)
    return wanted.done, stepped
  end
  if stepped then return wanted:is_done(), true end
  return wanted:step(), true
end

-- Whether it is this very flight that, by way of somebody's event handler, is asking.
local function is_running(self)
  local status = self.threads.status(self.thread)
  return status == "running" or status == "normal"
end

local function is_waiting(self)
  return self.wanted or self.due
end

--- Seconds for which it may be left alone; nil for as long as it takes.
---@return number?
function Flight:longest_alone()
  return not self.isAwaited and self.patience or nil
end

-- Whether it was left alone for so long that its time limits say nothing of the bank. What has
-- come meanwhile is taken all the same.
local function is_left_alone(self)
  local patience = self:longest_alone()
  return patience and is_waiting(self)
    and self.system.boot() - math.max(self.left, self.due or 0) > patience
end

local function tell_of_move(self)
  if not self.moved or not is_waiting(self) then return end
  local ok, fault = pcall(self.moved)
  if not ok then fail(self, fault) end
end

--- Moves it on as far as it goes without waiting. Raises what the work raises.
---@param stepped boolean? the engine has just been stepped. That moved all transfers, and takes a
--- look at each of them: of many flights only the first should do it
---@return boolean? stepped whether it has been by now
function Flight:advance(stepped)
  if not self.done and not is_waiting(self) and not is_running(self) then
    finish(self)   -- its start was interrupted
  end
  if is_left_alone(self) then self.leftAlone = true end
  while is_waiting(self) do
    local ready
    ready, stepped = is_ready(self, stepped)
    if not ready then break end
    self.wanted, self.due = nil, nil
    note(self, self.threads.resume(self.thread))
  end
  if self.patience then self.left = self.system.boot() end
  tell_of_move(self)
  return stepped
end

--- Sets off; a transfer that is alone on its engine is sent. Once, and not by `new`: whoever keeps
-- the flight must have it before it can raise.
---@param ... any for the work
function Flight:start(...)
  note(self, self.threads.resume(self.thread, ...))
end

--- Sets off, and goes as far as it can.
function Flight:depart()
  self:start()
  self:advance()
end

--- What has to come first for it to go on: a transfer, or a moment on the boot clock; neither when
-- it is done.
---@return table? transfer
---@return number? due
function Flight:awaits()
  local wanted = self.wanted
  if is_flight(wanted) then return wanted:awaits() end
  return wanted, self.due
end

--- Somebody waits for it from now on: it is not left alone any more.
---@return corebank.auth.Flight
function Flight:awaited()
  self.isAwaited = true
  return self
end

--- Whoever waited for it has left without its outcome.
function Flight:deserted()
  self.isAwaited = false
end

--- Ends it without an outcome; when a handler of its own events asks for that, as soon as it waits.
---@param silence boolean? what it raises until then is of no interest: its secret is gone
function Flight:abandon(silence)
  if self.done then return end
  if not is_running(self) then return finish(self) end
  self.abandoned, self.silenced = true, silence
end

local flight = {}

--- Makes a flight.
---@param work function yields what it waits for; returns a token, or nil, a message and a problem
---@param over function called once, when it is done, with the flight, and the token or the problem;
--- with neither after `abandon` or a fault. Closes a transfer that it still waits for
---@param system table boot
---@param threads table see above
---@return corebank.auth.Flight
function flight.new(work, over, system, threads)
  local now = system.boot()
  return setmetatable({started = now, left = now, done = false, leftAlone = false,
    neglected = false, abandoned = false, isAwaited = false, over = over, system = system,
    threads = threads, thread = threads.create(work)}, Flight)
end

return flight
