--- How a plain script waits: it blocks, and wakes at a signal so that Ctrl-C works.

local core = require "corebank.auth.core"

local LONGEST_WAIT = 1   -- seconds between looks at what says nothing

local blocking = require "corebank.auth.host.scheduler".new(core)

local function rest(seconds)
  local ends = core.boot() + seconds
  while seconds > 0 do
    core.sleep(seconds)
    seconds = ends - core.boot()
  end
end

--- What flights run in.
blocking.threads = coroutine

--- What runs in coroutines only while its caller waits.
blocking.callers_threads = coroutine

-- Flights that nobody may be waiting for. They go on when their client is asked again, and while
-- another one or a transfer is waited for, which may be waiting for them: through a store, for
-- their lease, whether or not anybody has their client still. A call's pause moves none on.
local launched, launcher = {}, core.pid()

-- Those of this process: what a forked child inherits, its parent moves on.
local function own_launched()
  local pid = core.pid()
  if pid ~= launcher then launched, launcher = {}, pid end
  return launched
end

--- Seconds for which a flight is left alone by a script that calls often: between two calls nobody
-- moves it on.
blocking.patience = 2   -- and those that are waited for are looked at every second

--- A flight has started that nobody waits for yet.
---@param flight corebank.auth.Flight
function blocking.launch(flight)
  own_launched()[flight] = true
end

-- Moves all but this one on. Returns whether the engine has been stepped by now.
local function advance_others(flight, stepped)
  local list = {}   -- handlers of events may start more of them
  for other in pairs(own_launched()) do list[#list + 1] = other end
  for i = 1, #list do
    local other = list[i]
    if other.done then
      launched[other] = nil
    elseif other ~= flight then
      stepped = other:advance(stepped)
    end
  end
  return stepped
end

--- Waits for a transfer or a batch of them to be done; without one, for a number of seconds.
---@param wanted table?
---@param seconds number?
function blocking.wait(wanted, seconds)
  if not wanted then return rest(seconds) end
  while not wanted:wait(LONGEST_WAIT) do
    if next(launched) then advance_others() end
  end
end

local function land(flight, ends)
  local left = ends - core.boot()
  while not flight.done and left > 0 do
    local transfer, due = flight.wanted, flight.due
    if transfer then
      transfer:wait(math.min(left, LONGEST_WAIT))
    else
      rest(math.min(due - core.boot(), left, LONGEST_WAIT))
    end
    flight:advance(advance_others(flight, transfer ~= nil))
    left = ends - core.boot()
  end
end

--- Returns when the flight is done, or the seconds are over, if there are any.
---@param flight corebank.auth.Flight
---@param seconds number?
function blocking.await_flight(flight, seconds)
  local ok, fault = pcall(land, flight, core.boot() + (seconds or math.huge))
  if ok then return end
  flight:deserted()   -- by Ctrl-C, or what a handler raised
  error(fault, 0)
end

return blocking
