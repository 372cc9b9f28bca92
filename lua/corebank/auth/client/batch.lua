--- Many calls in parallel. Each element of a list has a task, with a limit of tasks in flight. The
-- caller's own task starts these tasks, waits for them, and calls all handlers.

local check = require "corebank.auth.options.check"

local PARALLEL = 32
local MOST_PARALLEL = 256   -- a process may have 1,024 open files, and each call locks memory
-- With a fast bank, a TLS handshake takes longer than a request: few connections are faster.
local FIRST_WIDTH = 4       -- elements in flight, at first
local QUIET = 0.02          -- seconds without an answer, after which their number doubles
local LOOK = 1              -- seconds; see wait_for_any

-- OPTIONS: as options/suggest.lua takes them.
local batch = {OPTIONS = {{name = "parallel"}, {name = "onProgress"}}}

-- ---- the caller's options ----------------------------------------------------------------------

local OWN = {parallel = check.number(1, MOST_PARALLEL, true), onProgress = check.callable}

--- The options of the call itself, and the others; or nil and what is wrong.
---@param given any
---@return table? own
---@return table|string others
function batch.split_options(given)
  if type(given) ~= "table" then
    return nil, "the options must be a table, not " .. type(given)
  end
  local own, others = {}, {}
  for name, value in pairs(given) do
    if OWN[name] then
      local ok, reason = OWN[name](value)
      if not ok then return nil, name .. " " .. reason end
      own[name] = value
    else
      others[name] = value
    end
  end
  return own, others
end

--- A copy of a list of tables; or nil and what is wrong with it.
---@param list any
---@return table[]?
---@return string? mistake
function batch.copy_list(list)
  if type(list) ~= "table" then return nil, "a list of tables of options is needed" end
  local copy, count = {}, 0
  for key in pairs(list) do
    if type(key) ~= "number" then return nil, "a list is needed, and not one table of options" end
    count = count + 1
  end
  for i = 1, count do
    local element = list[i]
    if type(element) ~= "table" then
      return nil, ("element %d: must be a table of options or a client, not %s"):format(i,
        type(element))
    end
    copy[i] = element
  end
  return copy
end

-- ---- one element -------------------------------------------------------------------------------

-- Starts the next element. Returns what is wrong with it, if anything: its file cannot be opened,
-- or it has changed since it was checked.
local function start(self)
  local index = self.started + 1
  local entry = {index = index}
  local work, close = self.work_for(self.list[index], entry)
  if not work then return ("element %d: %s"):format(index, close) end
  self.started = index
  self.open[index] = close
  self.tasks[index] = self.host.spawn(work, function(ok, ...)
    close()
    self.tasks[index], self.open[index] = nil, nil
    if ok then entry.outcome = {...} else entry.fault = (...) end
    self.ended[#self.ended + 1] = entry
    self.change:signal()
  end)
end

-- ---- all elements ------------------------------------------------------------------------------

-- Waits until an element has ended. If none ends for a while, returns, so that more can start.
local function wait_for_any(self)
  while not self.ended[1] do
    local isNarrow = self.width < self.parallel and self.started < #self.list
    local hasEnded = self.change:wait(isNarrow and QUIET or LOOK)
    if not hasEnded and isNarrow then
      self.width = math.min(2 * self.width, self.parallel)
      return
    elseif not hasEnded and self.host.run_what_is_left then
      self.host.run_what_is_left()   -- nginx had no timer for them
    end
  end
end

-- Notes the outcomes of the elements that have ended, and calls the handlers.
local function take_ended(self)
  local ended = self.ended
  self.ended = {}
  for _, entry in ipairs(ended) do
    if not entry.outcome then error(entry.fault, 0) end
    self.done = self.done + 1
    self.outcomes[entry.index] = entry.outcome
    if entry.event then entry.onEvent(entry.event) end
    if self.onProgress then self.onProgress(self.done, #self.list) end
  end
end

-- Returns what is wrong with an element, if one could not be started.
local function run(self)
  while self.done < #self.list do
    while self.started < #self.list and self.started - self.done < self.width do
      local mistake = start(self)
      if mistake then return mistake end
    end
    wait_for_any(self)
    take_ended(self)
  end
end

---@class corebank.auth.Batch
---@field list table[]
---@field parallel integer? how many at a time
---@field onProgress fun(done: integer, total: integer)?
---@field host table see host/scheduler.lua
---@field work_for fun(element: table, entry: table): function?, function|string returns the work
--- of an element's task, and a function that closes it in any case; or nil and a mistake. It may
--- set `event` and `onEvent` of the entry; then `onEvent` is called with the event

--- Does the work for each element, and waits for all of them.
---@param self corebank.auth.Batch
---@return table[]? outcomes what the work returned for each element, as a list, in the list's order
---@return string? mistake
function batch.run(self)
  self.parallel = self.parallel or PARALLEL
  self.width, self.change = math.min(FIRST_WIDTH, self.parallel), self.host.condition()
  self.started, self.done = 0, 0
  self.tasks, self.open, self.ended, self.outcomes = {}, {}, {}, {}
  local ok, fault = pcall(run, self)
  -- The tasks that are left are cancelled. A client's fetch belongs to the client, and continues.
  for _, task in pairs(self.tasks) do task:cancel() end
  for _, close in pairs(self.open) do close() end   -- Ctrl-C may have come at a task's end
  if not ok then error(fault, 0) end
  if fault then return nil, fault end
  return self.outcomes
end

--- The outcomes as results: what was returned under `name`; or message and problem.
---@param outcomes table[] of `run`
---@param name string
---@return table[]
function batch.results(outcomes, name)
  local results = {}
  for i, outcome in ipairs(outcomes) do
    local value, message, problem = outcome[1], outcome[2], outcome[3]
    results[i] = value and {[name] = value} or {message = message, problem = problem}
  end
  return results
end

return batch
