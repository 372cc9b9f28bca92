--- How an nginx worker waits: never. One timer, the driver, steps everything that is in flight and
-- sleeps a little in between; whoever needs an outcome waits on a semaphore meanwhile. So a flight
-- goes on when the request that started it is gone, and other requests are served all the time.

local core = require "corebank.auth.core"
local semaphores = require "ngx.semaphore"

local ngx = ngx

local SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.010   -- seconds between two steps
local GROWTH = 1.03      -- a pause is about a thirtieth of the time it has taken so far
local PATIENCE = 0.25    -- seconds without a step after which the driver counts as gone

-- What the manual of the Lua module lists for ngx.sleep and ngx.semaphore.
local CAN_WAIT = {rewrite = true, server_rewrite = true, access = true, content = true,
  timer = true, ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true}

local nginx = {}

-- The coroutines that a handler sees belong to its request, and nobody else can resume them.
-- Flights need plain ones, which the Lua module keeps under names with a line in front.
local function plain(name)
  return coroutine["_" .. name] or coroutine[name]
end

-- A coroutine inherits the request of whoever makes it, and a flight outlives that: it lets go of
-- it, or a call of the Lua module, from a handler of events maybe, would find what is freed.
local has_exdata, exdata = pcall(require, "thread.exdata")   -- of OpenResty's LuaJIT
local no_request = require "ffi".cast("void *", 0)

local create = plain "create"

--- What flights run in.
nginx.threads = {
  create = function(work)
    return create(function(...)
      if has_exdata then exdata(no_request) end
      return work(...)
    end)
  end,
  resume = plain "resume", status = plain "status", yield = plain "yield",
}

--- What runs in coroutines only while its caller waits: it keeps the caller's request, without
-- which no timer could be started from there.
nginx.callers_threads = {
  create = create, resume = plain "resume", status = plain "status", yield = plain "yield",
}

--- Why nothing can be made here, or nil when all is well.
---@return string? mistake
function nginx.objection()
  if ngx.get_phase() == "init" then
    return "there is no worker yet in init_by_lua*, and what the master makes is not for its "
      .. "workers: use init_worker_by_lua*"
  end
  if not core.resolves_aside() then
    return "this libcurl has no asynchronous resolver, so each look-up of a name would stop the "
      .. "worker: use a build that lists AsynchDNS"
  end
end

--- Why nothing can wait here, or nil when it can: who asks before has nothing begun in vain.
---@return string? mistake
function nginx.unable_to_wait()
  local phase = ngx.get_phase()
  if CAN_WAIT[phase] then return nil end
  return ("nothing can wait in %s_by_lua*: use peek() there, which hands out the token at hand")
    :format(phase)
end

local function check_can_wait()
  local mistake = nginx.unable_to_wait()
  if mistake then error(mistake, 0) end
end

-- ---- the driver --------------------------------------------------------------------------------

local flights = {}         -- flight -> the semaphore of its waiters, or false
local driver               -- whoever drives; a later one takes over
local beat = -math.huge    -- when it last did
local pause = SHORTEST_PAUSE

local function is_driven()
  return core.boot() - beat < PATIENCE
end

local function land(flight)
  local semaphore = flights[flight]
  flights[flight] = nil
  local waiters = semaphore and -semaphore:count() or 0
  if waiters > 0 then semaphore:post(waiters) end
end

-- A mistake of ours or of an event handler ends that flight and no other; its waiters hear of it.
-- Takes and returns whether the engine has been stepped.
local function advance(flight, stepped)
  local ok, result = pcall(flight.advance, flight, stepped)
  if not ok then
    ngx.log(ngx.ERR, "corebank-auth: a fetch ended with an error: ", tostring(result))
  end
  if flight.done or not ok then land(flight) end
  if ok then return result end
  return stepped
end

local function step_all()
  beat = core.boot()
  local list = {}   -- handlers of events may start more of them
  for flight in pairs(flights) do list[#list + 1] = flight end
  local stepped
  for i = 1, #list do stepped = advance(list[i], stepped) end
end

-- Until nothing is in flight any more, or the flight that is waited for has ended.
local function drive(awaited)
  local own = {}
  driver = own
  while driver == own and next(flights) and not (awaited and awaited.done) do
    step_all()
    if next(flights) and not (awaited and awaited.done) then
      ngx.sleep(pause)
      pause = math.min(pause * GROWTH, LONGEST_PAUSE)
    end
  end
  if driver == own then driver, beat = nil, -math.huge end
end

-- A worker that is told to exit still finishes what is in flight: `premature` changes nothing.
local function drive_all(_)
  drive()
end

--- A flight has started that nobody waits for yet.
function nginx.launch(flight)
  flights[flight] = flights[flight] or false
  pause = SHORTEST_PAUSE
  -- A timer that cannot be had, or is never run, loses no flight: see await.
  if not is_driven() and ngx.timer.at(0, drive_all) then beat = core.boot() end
end

--- Drives what has no driver: the timer for one was not to be had.
function nginx.drive_what_is_left()
  if next(flights) and not is_driven() then drive() end
end

-- ---- waiting -----------------------------------------------------------------------------------

local function semaphore_of(flight)
  local semaphore = flights[flight]
  if not semaphore then
    semaphore = assert(semaphores.new(0))
    flights[flight] = semaphore
  end
  return semaphore
end

--- Returns when the flight is done. Where no driver runs (lua_max_pending_timers and
-- lua_max_running_timers are limits), the one who waits drives, for all.
function nginx.await(flight)
  if flight.done then return end
  check_can_wait()
  while not flight.done do
    local semaphore = semaphore_of(flight)
    if is_driven() then semaphore:wait(PATIENCE) else drive(flight) end
    if not flight.done and flights[flight] == nil then
      error("a fetch ended with an error; the error log has it", 0)
    end
  end
end

--- Waits for a transfer to be done, without one for a number of seconds; for a call that nobody
-- shares.
---@param wanted table?
---@param seconds number?
function nginx.wait(wanted, seconds)
  check_can_wait()
  if not wanted then return ngx.sleep(seconds) end
  local between = SHORTEST_PAUSE
  while not wanted:step() do
    ngx.sleep(between)
    between = math.min(between * GROWTH, LONGEST_PAUSE)
  end
end

return nginx
