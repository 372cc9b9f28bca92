--- How a plain script waits. Tasks are coroutines. A call that waits outside of a task continues
-- all tasks until its own wait is over. No task runs between two calls of the library.
--
-- The functions of every host, such as this one and host/nginx.lua:
--
--     host.spawn(work, finish) -> task    runs it in a task of its own; see corebank.auth.Task
--     host.sleep(seconds)                 waits; other tasks run meanwhile
--     host.await(transfer, seconds)       waits for a transfer -> whether it is done
--     host.condition()                    c:wait(seconds) -> whether it was signalled; c:signal()
--                                         wakes all that wait
--     host.may_wait()                     nil, or why nothing can wait here
--     host.poll()                         continues the tasks whose wait is over
--     host.longestIdle                    the seconds after which a task that was not continued
--                                         counts as idle; nil if tasks run by themselves
--
-- `seconds` may be nil: then a wait has no limit. A task must not wait inside a `pcall`, because
-- Lua 5.1 cannot yield across one. Work that must be done however a task ends belongs in its
-- `finish`.

local LONGEST_IDLE = 2   -- seconds

---@class corebank.auth.Task
---@field wasIdle boolean? whether it was not continued for longer than `longestIdle`: then a
--- timeout is not a fault of the bank
---@field is_done fun(self): boolean whether it has ended
---@field wait fun(self, seconds: number?): boolean waits until it has ended, or for `seconds`;
--- returns whether it has ended
---@field cancel fun(self) ends it where it waits; a task that cancels itself ends when it waits
--- next
local Task = {}
Task.__index = Task

function Task:is_done()
  return self.isOver or coroutine.status(self.thread) == "dead"   -- Ctrl-C may come in between
end

function Task:wait(seconds)
  return self.isOver or self.wait_for(self, seconds)
end

local function finish(task, ok, ...)
  if task.isOver then return end
  task.isOver = true
  if task.finish then task.finish(ok, ...) end
end

function Task:cancel()
  self.isCancelled = true
  if coroutine.status(self.thread) == "suspended" then finish(self, false) end
end

-- Notes that a task has returned, has raised an error, or waits.
local function note(task, ok, ...)
  if coroutine.status(task.thread) == "dead" then
    if ok and task.isCancelled then return finish(task, false) end
    finish(task, ok, ...)
    if not ok then error((...), 0) end
  elseif task.isCancelled then
    finish(task, false)
  end
end

local function is_waiting(task)
  return not task.isOver and coroutine.status(task.thread) == "suspended"
end

-- Whether a waiting task can continue. A task that has not begun can.
local function is_ready(task, now)
  if task.due and now >= task.due then return true end
  if task.wanted then return task.wanted:is_done() end
  return not task.due
end

-- ---- conditions --------------------------------------------------------------------------------

local Condition = {}
Condition.__index = Condition

function Condition:signal()
  self.signals = self.signals + 1
end

function Condition:wait(seconds)
  local before = self.signals
  local signal = {is_done = function() return self.signals > before end}
  return self.wait_for(signal, seconds)
end

-- ---- the host ----------------------------------------------------------------------------------

local scheduler = {}

--- Makes a host.
---@param system table boot, sleep, pid, as in the core
---@return table
function scheduler.new(system)
  local host = {longestIdle = LONGEST_IDLE}
  local tasks, owner = {}, system.pid()
  local task_of = setmetatable({}, {__mode = "kv"})   -- by thread
  local lastTurn = -math.huge   -- when tasks were last continued

  -- The task that is running; nil outside of tasks.
  local function running()
    local thread = coroutine.running()
    return thread and task_of[thread]
  end

  -- In a forked child: the tasks that it inherited belong to its parent.
  local function drop_inherited()
    if system.pid() == owner then return end
    local inherited = tasks
    tasks, owner = {}, system.pid()
    for _, task in ipairs(inherited) do task:cancel() end
  end

  local function note_idle()
    local longest, now = host.longestIdle or math.huge, system.boot()
    if now - lastTurn <= longest then return end
    for _, task in ipairs(tasks) do
      local restedUntil = not task.wanted and task.due or lastTurn
      if now - math.max(lastTurn, restedUntil) > longest then task.wasIdle = true end
    end
  end

  -- Continues each task that can continue. Tasks that these start are continued in the next turn.
  local function turn()
    local list, now, ended = tasks, system.boot(), false
    lastTurn = now   -- the time that one task takes, or its handler, is idle time of the others
    for i = 1, #list do
      local task = list[i]
      if coroutine.status(task.thread) == "dead" then   -- Ctrl-C came before its end was noted
        finish(task, false)
      elseif is_waiting(task) and is_ready(task, now) then
        note(task, coroutine.resume(task.thread))
      end
      ended = ended or task.isOver
    end
    if not ended then return end
    local others = {}
    for _, task in ipairs(tasks) do
      if not task.isOver then others[#others + 1] = task end
    end
    tasks = others   -- in one step, because Ctrl-C may raise an error anywhere
  end

  -- Waits until a task can continue, or `wanted` is done, or `due` is reached. If a task or the
  -- caller waits for a transfer, the engine runs meanwhile.
  local function rest(wanted, due)
    local now = system.boot()
    local seconds, transfer = (due or math.huge) - now, wanted and wanted.step and wanted
    for _, task in ipairs(tasks) do
      if is_waiting(task) then
        if is_ready(task, now) then seconds = 0 end
        if task.due then seconds = math.min(seconds, task.due - now) end
        transfer = transfer or task.wanted and task.wanted.step and task.wanted
      end
    end
    if transfer then
      transfer:wait(math.max(seconds, 0))
    elseif seconds == math.huge then
      error("this would wait for ever: nothing is under way that could end it", 0)
    elseif seconds > 0 then
      system.sleep(seconds)
    end
  end

  local function run(wanted, due)
    drop_inherited()
    repeat
      if next(tasks) then note_idle() end
      rest(wanted, due)
      if next(tasks) then turn() end
    until wanted and wanted:is_done() or due and system.boot() >= due
  end

  -- Waits until `wanted` is done, or for `seconds`. Returns whether it is done.
  local function wait_for(wanted, seconds)
    local due, task = seconds and system.boot() + seconds, running()
    if task then
      if task == wanted then error("a task waits for its own end", 0) end
      task.wanted, task.due = wanted, due
      coroutine.yield()
    else
      run(wanted, due)
    end
    return wanted ~= nil and wanted:is_done()
  end

  --- Runs `work` in a task of its own, when a call next waits or polls. When the task has ended,
  -- `finished` is called outside of it: with true and the results of `work`; with false and the
  -- error, which is also raised to the call that continued the task; with false when it was
  -- cancelled.
  ---@param work function
  ---@param finished fun(ok: boolean, ...)?
  ---@return corebank.auth.Task
  function host.spawn(work, finished)
    drop_inherited()
    local thread = coroutine.create(work)
    local task = setmetatable({thread = thread, finish = finished, isOver = false,
      wait_for = wait_for}, Task)
    task_of[thread] = task
    note_idle()   -- before the new task is in the list, because it is not idle
    lastTurn = system.boot()
    tasks[#tasks + 1] = task
    return task
  end

  function host.sleep(seconds)
    wait_for(nil, seconds)
  end

  function host.await(transfer, seconds)
    return transfer:is_done() or wait_for(transfer, seconds)
  end

  function host.condition()
    return setmetatable({signals = 0, wait_for = wait_for}, Condition)
  end

  function host.may_wait() end

  function host.poll()
    if next(tasks) and not running() then run(nil, system.boot()) end
  end

  return host
end

return scheduler
