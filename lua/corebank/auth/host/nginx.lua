--- How code waits in an nginx worker, without blocking it. Tasks are light threads of a timer, so a
-- task continues after the request that needed it has ended, and other requests run meanwhile.
-- host/scheduler.lua lists the functions of every host.

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
local BEGUN_AT_ONCE = 4  -- tasks that a runner begins in one turn
local LOOK = 0.1         -- seconds between two turns of a runner that waits
local PATIENCE = 0.25    -- seconds without a turn after which a runner gets no more tasks
local LOST = 2           -- seconds without a turn after which the tasks of a runner count as lost
local TAKES = 10         -- seconds for which a runner takes tasks

-- The phases in which ngx.sleep and ngx.semaphore work, by the manual of the Lua module.
local CAN_WAIT = {rewrite = true, server_rewrite = true, access = true, content = true,
  timer = true, ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true}

local nginx = {}

--- Why no client can be made in this phase, or nil if one can.
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

--- Why code cannot wait in this phase, or nil if it can. Callers ask before they begin anything.
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

local queue = {}   -- the tasks that no runner has begun

function Task:is_done()
  return self.isOver
end

-- An error in a task, or in an event handler that it calls, ends this task only.
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
  if task_of[coroutine.running()] == self then return end   -- it ends when it waits next
  finish(self, false)
end

-- ---- runners -----------------------------------------------------------------------------------

-- A runner has the threads of its tasks. They are threads of one timer. If no timer can be created,
-- they are threads of a request that waits for a task. Each thread leaves memory in the pool of its
-- timer or request. So a runner takes tasks for a while only, and ends when it has no task left.
-- Later tasks get a new runner.
---@class corebank.auth.Runner
---@field seenAt number when its last turn began, or its timer was created
---@field takesUntil number until when it takes tasks from the queue
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

-- Begins a few tasks. The others begin after other requests have run, because a handshake takes
-- much time of the processor.
function Runner:begin_queued()
  local list, begun = queue, 0
  queue = {}
  for _, task in ipairs(list) do
    local waits = not task.runner and not task.isCancelled   -- else its waiter has begun it
    if waits and begun < BEGUN_AT_ONCE then
      begun = begun + 1
      self:begin(task)
    elseif waits then
      queue[#queue + 1] = task
    end
  end
end

-- nginx keeps a thread that has ended until ngx.thread.wait is called for it.
function Runner:drop_ended()
  for thread, task in pairs(self.threads) do
    if task.hasReturned then
      ngx.thread.wait(thread)
      self.threads[thread] = nil
    end
  end
end

-- Runs until there is no task left. A worker that exits still finishes the fetches in flight, so a
-- premature timer makes no difference.
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

--- Runs the tasks that have no runner because no timer could be created.
function nginx.run_what_is_left()
  if #queue > 0 and not is_taken_care_of() then new_runner(TAKES):run() end
end

--- Runs `work` in a task of its own, soon. See host/scheduler.lua; an error in `work` is logged.
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

-- Called again and again by a request that waits for a task. If no timer can be created, because of
-- lua_max_pending_timers or lua_max_running_timers, this request runs the task. If the request ends
-- before the task, the next request that waits for it finds it lost.
--
-- After a worker was stopped, all runners seem overdue until their next turn. So a task is lost
-- only when its runner is found overdue twice, with the same `seenAt`. Takes the `seenAt` that the
-- last call returned.
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

--- Tasks continue by themselves. If some have no runner, this tries to start one.
function nginx.poll()
  if #queue > 0 and not is_taken_care_of() then start_runner() end
end

return nginx
