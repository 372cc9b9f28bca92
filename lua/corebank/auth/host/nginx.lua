--- How an nginx worker waits: never. Tasks are light threads of one timer, so that one goes on when
-- the request that needed it is gone, and other requests are served all the time. What every host
-- has is listed in host/scheduler.lua.

local await = require "corebank.auth.host.await"
local core = require "corebank.auth.core"
local semaphores = require "ngx.semaphore"

local ngx = ngx

local SHORTEST_SLEEP = 0.001
local BEGUN_AT_ONCE = 4  -- tasks
local LOOK = 0.1         -- seconds between two looks of the runner at its tasks
local PATIENCE = 0.25    -- seconds without a look after which there is no runner
local LOST = 2           -- seconds beyond its time after which a task counts as lost

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
  return ("nothing can wait in %s_by_lua*: use peek() there, which hands out the token at hand")
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

-- One timer, the runner, runs all tasks. `queue` is those that it has yet to begin; `changes` wakes
-- it.
local queue, changes = {}, assert(semaphores.new(0))

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
  if not task.hasBegun then
    task.hasBegun, task.dueAt = true, core.boot()
    local thread = coroutine.running()
    task_of[thread] = task
    finish(task, pcall(task.work))
    task_of[thread] = nil
  end
  task.hasReturned = true
  changes:post(1)
end

function Task:cancel()
  self.isCancelled, self.hasBegun = true, true
  if task_of[coroutine.running()] == self then return end   -- it ends when it waits
  finish(self, false)
end

-- ---- the runner --------------------------------------------------------------------------------

local beat = -math.huge   -- when the runner was last seen, or its timer was had

local function has_runner()
  return core.boot() - beat < PATIENCE
end

-- Begins some; the rest have their turn after other requests: a handshake takes the processor.
local function begin_queued(threads)
  local list = queue
  queue = {}
  for i, task in ipairs(list) do
    if i > BEGUN_AT_ONCE then
      queue[#queue + 1] = task
    else
      threads[assert(ngx.thread.spawn(run, task))] = task
    end
  end
end

-- A thread that has ended is kept by nginx until it is waited for.
local function drop_ended(threads)
  for thread, task in pairs(threads) do
    if task.hasReturned then
      ngx.thread.wait(thread)
      threads[thread] = nil
    end
  end
end

-- Until no task is left. A worker that is told to exit still finishes what is in flight: that the
-- timer is premature changes nothing.
local function run_tasks()
  local threads = {}
  repeat
    beat = core.boot()
    begin_queued(threads)
    if #queue > 0 then
      ngx.sleep(SHORTEST_SLEEP)
    elseif next(threads) then
      changes:wait(LOOK)
    end
    drop_ended(threads)
  until not next(threads) and #queue == 0
  beat = -math.huge
end

--- Runs the tasks that have no runner: the timer for one was not to be had.
function nginx.run_what_is_left()
  if #queue > 0 and not has_runner() then run_tasks() end
end

--- Runs `work` in a task of its own, soon. See host/scheduler.lua; what it raises is logged.
function nginx.spawn(work, finished)
  local task = setmetatable({work = work, finish = finished, isOver = false,
    ended = nginx.condition()}, Task)
  queue[#queue + 1] = task
  if has_runner() then
    changes:post(1)
  elseif ngx.timer.at(0, run_tasks) then
    beat = core.boot()
  end
  return task
end

-- ---- waiting -----------------------------------------------------------------------------------

-- Whoever waits for a task runs it when no timer is to be had: lua_max_pending_timers and
-- lua_max_running_timers are limits. Should it die with his request, the next one finds it lost.
-- It has a thread of its own: nginx uses that of a request again.
--
-- A worker that has stood still finds all tasks overdue before the runner is there again: one is
-- lost that is found overdue twice. Takes and returns the moment that it was found overdue by.
local function look_after(task, overdue)
  if not task.hasBegun then
    if not has_runner() then ngx.thread.wait(ngx.thread.spawn(run, task)) end
  elseif not has_runner() and core.boot() > task.dueAt + LOST then
    if overdue == task.dueAt then task:cancel() end
    return task.dueAt
  end
end

function Task:wait(seconds)
  check_may_wait()
  if task_of[coroutine.running()] == self then error("a task waits for its own end", 0) end
  local ends, overdue = core.boot() + (seconds or math.huge), nil
  while not self.isOver do
    local left = ends - core.boot()
    if left <= 0 then return false end
    overdue = look_after(self, overdue)
    if not self.isOver then self.ended:wait(math.min(left, PATIENCE)) end
  end
  return true
end

function nginx.sleep(seconds)
  check_may_wait()
  local task = task_of[coroutine.running()]
  seconds = math.max(seconds, SHORTEST_SLEEP)
  if not task then return ngx.sleep(seconds) end
  task.dueAt = core.boot() + seconds
  ngx.sleep(seconds)
  if task.isCancelled then error("the task was cancelled", 0) end
end

function nginx.await(transfer, seconds)
  return await(nginx.sleep, transfer, seconds)
end

--- Tasks go on by themselves, but for those that had no timer.
function nginx.poll()
  if #queue > 0 and not has_runner() and ngx.timer.at(0, run_tasks) then beat = core.boot() end
end

return nginx
