--- How an nginx worker waits: never. Tasks are light threads of one timer, so that one goes on when
-- the request that needed it is gone, and other requests are served all the time. What every host
-- has is listed in host/scheduler.lua.

local await = require "corebank.auth.host.await"
local core = require "corebank.auth.core"

local ngx = ngx

-- The Lua module of Debian 11's nginx comes without lua-resty-core.
local function load_semaphores()
  local ok, semaphores = pcall(require, "ngx.semaphore")
  if ok then return semaphores end
  if tostring(semaphores):find("module 'ngx.semaphore' not found", 1, true) then
    semaphores = "lua-resty-core is missing; on Debian 12 and later it is the package "
      .. "lua-resty-core, and OpenResty contains it"
  end
  error(semaphores, 0)
end

local semaphores = load_semaphores()

local SHORTEST_SLEEP = 0.001
local BEGUN_AT_ONCE = 4  -- tasks
local LOOK = 0.1         -- seconds between two looks of the runner at its tasks
local PATIENCE = 0.25    -- seconds without a look after which a runner gets no more tasks
local LOST = 2           -- seconds without a look after which the tasks of a runner count as lost
local TAKES = 10         -- seconds for which a runner takes tasks

-- What the manual of the Lua module lists for ngx.sleep and ngx.semaphore.
local CAN_WAIT = {rewrite = true, server_rewrite = true, access = true, content = true,
  timer = true, ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true}

local nginx = {}

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
function nginx.may_wait()
  local phase = ngx.get_phase()
  if CAN_WAIT[phase] then return nil end
  return ("nothing can wait in %s_by_lua*: use peek() there, which returns a token without waiting")
    :format(phase)
end

local function check_may_wait()
  local mistake = nginx.may_wait()
  if mistake then error(mistake, 0) end
end

-- ---- conditions --------------------------------------------------------------------------------

local Condition = {}
Condition.__index = Condition

function Condition:wait(seconds)
  check_may_wait()
  local before, ends = self.signals, core.boot() + (seconds or math.huge)
  while self.signals == before do
    local left = ends - core.boot()
    if left <= 0 then return false end
    self.semaphore:wait(math.min(left, 1))
  end
  return true
end

function Condition:signal()
  self.signals = self.signals + 1
  local waiters = -self.semaphore:count()
  if waiters > 0 then self.semaphore:post(waiters) end
end

function nginx.condition()
  return setmetatable({signals = 0, semaphore = assert(semaphores.new(0))}, Condition)
end

-- ---- tasks -------------------------------------------------------------------------------------

---@class corebank.auth.Task
local Task = {}
Task.__index = Task

local task_of = setmetatable({}, {__mode = "kv"})   -- by thread

local queue = {}   -- tasks that no runner has begun

function Task:is_done()
  return self.isOver
end

-- A mistake of ours, or of a handler of events, ends that task and no other.
local function log(fault)
  ngx.log(ngx.ERR, "corebank-auth: a fetch ended with an error: ", tostring(fault))
end

local function finish(task, ok, ...)
  if task.isEnding then return end
  task.isEnding = true
  if not ok and not task.isCancelled then log((...)) end
  if task.finish then
    local finished, fault = pcall(task.finish, ok, ...)
    if not finished then log(fault) end
  end
  task.isOver = true
  task.ended:signal()
end

local function run(task)
  local thread = coroutine.running()
  task_of[thread] = task
  finish(task, pcall(task.work))
  task_of[thread] = nil
  task.hasReturned = true
  task.runner.changes:post(1)
end

function Task:cancel()
  self.isCancelled = true
  if task_of[coroutine.running()] == self then return end   -- it ends when it waits
  finish(self, false)
end

-- ---- runners -----------------------------------------------------------------------------------

-- A runner has the threads of its tasks: those of one timer, or of a request that waits for a task
-- when no timer is to be had. Each thread leaves memory in the pool of its timer or request, so a
-- runner takes tasks for a while only, and ends when it has none: the next tasks get another one.
---@class corebank.auth.Runner
---@field seenAt number when it last had its turn, or its timer was had
---@field takesUntil number it takes what is queued until then
local Runner = {}
Runner.__index = Runner

local current   -- the newest runner that has a timer

local function new_runner(seconds)
  local now = core.boot()
  return setmetatable({seenAt = now, takesUntil = now + seconds, threads = {},
    changes = assert(semaphores.new(0))}, Runner)
end

local function is_taken_care_of()
  local now = core.boot()
  return current and now < current.takesUntil and now - current.seenAt < PATIENCE
end

function Runner:begin(task)
  task.runner = self
  self.threads[assert(ngx.thread.spawn(run, task))] = task
end

-- Begins some; the rest have their turn after other requests: a handshake takes the processor.
function Runner:begin_queued()
  local list, begun = queue, 0
  queue = {}
  for _, task in ipairs(list) do
    local waits = not task.runner and not task.isCancelled   -- else who waits for it has begun it
    if waits and begun < BEGUN_AT_ONCE then
      begun = begun + 1
      self:begin(task)
    elseif waits then
      queue[#queue + 1] = task
    end
  end
end

-- A thread that has ended is kept by nginx until it is waited for.
function Runner:drop_ended()
  for thread, task in pairs(self.threads) do
    if task.hasReturned then
      ngx.thread.wait(thread)
      self.threads[thread] = nil
    end
  end
end

-- Until it has no task left. A worker that is told to exit still finishes what is in flight: that
-- the timer is premature changes nothing.
function Runner:run()
  local takes
  if not is_taken_care_of() then current = self end
  repeat
    self.seenAt = core.boot()
    takes = self.seenAt < self.takesUntil
    if takes then self:begin_queued() else nginx.poll() end
    if takes and #queue > 0 then
      ngx.sleep(SHORTEST_SLEEP)
    elseif next(self.threads) then
      self.changes:wait(LOOK)
    end
    self:drop_ended()
  until not next(self.threads) and not (takes and #queue > 0)
  if current == self then current = nil end
end

local function start_runner()
  local runner = new_runner(TAKES)
  if ngx.timer.at(0, function() runner:run() end) then current = runner end
end

--- Runs the tasks that have no runner: the timer for one was not to be had.
function nginx.run_what_is_left()
  if #queue > 0 and not is_taken_care_of() then new_runner(TAKES):run() end
end

--- Runs `work` in a task of its own, soon. See host/scheduler.lua; what it raises is logged.
function nginx.spawn(work, finished)
  local task = setmetatable({work = work, finish = finished, isOver = false,
    ended = nginx.condition()}, Task)
  queue[#queue + 1] = task
  if is_taken_care_of() then
    current.changes:post(1)
  else
    start_runner()
  end
  return task
end

-- ---- waiting -----------------------------------------------------------------------------------

-- Whoever waits for a task runs it when no timer is to be had: lua_max_pending_timers and
-- lua_max_running_timers are limits. Should it die with his request, the next one finds it lost.
--
-- A worker that has stood still finds all runners overdue before they have their turn again: a task
-- is lost when its runner is found overdue twice. Takes and returns when that was seen last.
local function look_after(task, seenAt)
  local runner = task.runner
  if not runner then
    if not is_taken_care_of() then
      runner = new_runner(0)
      runner:begin(task)
      runner:run()
    end
  elseif core.boot() - runner.seenAt > LOST then
    if seenAt == runner.seenAt then task:cancel() end
    return runner.seenAt
  end
end

function Task:wait(seconds)
  check_may_wait()
  if task_of[coroutine.running()] == self then error("a task waits for its own end", 0) end
  local ends, seenAt = core.boot() + (seconds or math.huge), nil
  while not self.isOver do
    local left = ends - core.boot()
    if left <= 0 then return false end
    seenAt = look_after(self, seenAt)
    if not self.isOver then self.ended:wait(math.min(left, PATIENCE)) end
  end
  return true
end

function nginx.sleep(seconds)
  check_may_wait()
  local task = task_of[coroutine.running()]
  seconds = math.max(seconds, SHORTEST_SLEEP)
  ngx.sleep(seconds)
  if task and task.isCancelled then error("the task was cancelled", 0) end
end

function nginx.await(transfer, seconds)
  return await(nginx.sleep, transfer, seconds)
end

--- Tasks go on by themselves, but for those that had no timer.
function nginx.poll()
  if #queue > 0 and not is_taken_care_of() then start_runner() end
end

return nginx
