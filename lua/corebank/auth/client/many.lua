--- Gets many tokens in parallel. Each element of a list has a task, with a limit of tasks in
-- flight. The caller's own task starts these tasks, waits for them, and calls all handlers.

local check = require "corebank.auth.options.check"
local client = require "corebank.auth.client.client"
local elements = require "corebank.auth.options.elements"
local exchange = require "corebank.auth.exchange.exchange"
local list_of_options = require "corebank.auth.options.list"
local next_token = require "corebank.auth.client.next_token"
local options = require "corebank.auth.options.read"

---@class corebank.auth.ManyOptions: corebank.auth.Options
---@field parallel integer? how many at a time, 1 to 256; default 32
---@field onProgress fun(done: integer, total: integer)? called after each result

---@class corebank.auth.Result
---@field token corebank.auth.Token? or, when there is none:
---@field message string?
---@field problem corebank.auth.Problem?

local PARALLEL = 32
local MOST_PARALLEL = 256   -- a process may have 1,024 files, and each locks memory for its bodies
-- A TLS handshake takes longer than a token from a fast bank: few connections are quicker there.
local FIRST_WIDTH = 4       -- elements in flight, at first
local QUIET = 0.02          -- seconds without an answer, after which twice as many are
local LOOK = 1              -- seconds; see wait_for_any

-- ---- what the caller gave ----------------------------------------------------------------------

local OWN = {parallel = check.number(1, MOST_PARALLEL, true), onProgress = check.callable}

-- All that may be given.
local all = {{name = "parallel"}, {name = "onProgress"}}
for _, option in ipairs(list_of_options) do all[#all + 1] = option end

-- The options of the call itself, and those that the elements share; or nil and what is wrong.
local function split_options(given)
  if type(given) ~= "table" then
    return nil, "the options must be a table, not " .. type(given)
  end
  local own, shared = {}, {}
  for name, value in pairs(given) do
    if OWN[name] then
      local ok, reason = OWN[name](value)
      if not ok then return nil, name .. " " .. reason end
      own[name] = value
    else
      shared[name] = value
    end
  end
  local mistake = options.check(shared, all)
  if mistake then return nil, mistake end
  return own, shared
end

-- A copy of the list; or nil and what is wrong with it.
local function copy_list(list)
  if type(list) ~= "table" or client.is(list) then
    return nil, "a list of tables of options is needed"
  end
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

local function check_element(reader, element)
  if client.is(element) then return element.isClosed and "is a client that is closed" or nil end
  local settings, mistake = reader:read(element)
  if settings then options.release(settings) end
  return mistake
end

-- What reads the elements of the list, all of which are right; or nil and what is wrong.
local function check_list(list, shared)
  local reader, mistake = elements.new(list, shared)
  if not reader then return nil, mistake end
  for i, element in ipairs(list) do
    mistake = check_element(reader, element)
    if mistake then
      reader:close()
      return nil, ("element %d: %s"):format(i, mistake)
    end
  end
  return reader
end

-- ---- one element -------------------------------------------------------------------------------

-- What a task does for an element, and what wipes what that has of the secret. Of a table the
-- options are read again, so that of a long list only the secrets of calls in flight are in memory.
local function work_for(batch, element, entry)
  if client.is(element) then
    return function() return next_token.hand_out_and_refresh(element) end, function() end
  end
  local settings, mistake = batch.reader:read(element)
  if not settings then return nil, mistake end
  entry.onEvent = settings.onEvent
  local call = exchange.new{settings = settings, system = batch.system, host = batch.host,
    tell = entry.onEvent and function(event) entry.event = event end}
  return function() return call:run() end, function()
    call:close()
    options.release(settings)
  end
end

-- Starts the next element. Returns what is wrong with it, if it has changed since it was checked.
local function start(batch)
  local index = batch.started + 1
  local entry = {index = index}
  local work, close = work_for(batch, batch.list[index], entry)
  if not work then return ("element %d: %s"):format(index, close) end
  batch.started = index
  batch.open[index] = close
  batch.tasks[index] = batch.host.spawn(work, function(ok, token, message, trouble)
    close()
    batch.tasks[index], batch.open[index] = nil, nil
    if not ok then
      entry.fault = token
    else
      entry.result = token and {token = token} or {message = message, problem = trouble}
    end
    batch.ended[#batch.ended + 1] = entry
    batch.change:signal()
  end)
end

-- ---- all of them -------------------------------------------------------------------------------

-- Waits until an element has ended. While none does, more are put in flight.
local function wait_for_any(batch)
  while not batch.ended[1] do
    local isNarrow = batch.width < batch.parallel and batch.started < #batch.list
    local hasEnded = batch.change:wait(isNarrow and QUIET or LOOK)
    if not hasEnded and isNarrow then
      batch.width = math.min(2 * batch.width, batch.parallel)
      return
    elseif not hasEnded and batch.host.run_what_is_left then
      batch.host.run_what_is_left()   -- nginx had no timer for them
    end
  end
end

-- Notes the results of what has ended, and tells of them.
local function take_ended(batch)
  local ended = batch.ended
  batch.ended = {}
  for _, entry in ipairs(ended) do
    if entry.fault ~= nil then error(entry.fault, 0) end
    batch.done = batch.done + 1
    batch.results[entry.index] = entry.result
    if entry.event then entry.onEvent(entry.event) end
    if batch.onProgress then batch.onProgress(batch.done, #batch.list) end
  end
end

-- Returns what is wrong with an element, if one has changed since it was checked.
local function run(batch)
  while batch.done < #batch.list do
    while batch.started < #batch.list and batch.started - batch.done < batch.width do
      local mistake = start(batch)
      if mistake then return mistake end
    end
    wait_for_any(batch)
    take_ended(batch)
  end
end

--- Gets a token for each element of a list, and waits for all of them.
---@param list (corebank.auth.Options|corebank.auth.Client)[]
---@param given corebank.auth.ManyOptions?
---@param system table boot, wall, random, url and transfer, as in corebank.auth.core
---@param host table see host/scheduler.lua
---@return corebank.auth.Result[]? results one for each element, in the list's order
---@return string? mistake
return function(list, given, system, host)
  local own, shared = split_options(given or {})
  if not own then return nil, shared end
  local copy, mistake = copy_list(list)
  if not copy then return nil, mistake end
  local reader
  reader, mistake = check_list(copy, shared)
  if not reader then return nil, mistake end
  local parallel = own.parallel or PARALLEL
  local batch = {list = copy, parallel = parallel, width = math.min(FIRST_WIDTH, parallel),
    onProgress = own.onProgress, reader = reader, system = system, host = host,
    change = host.condition(), started = 0, done = 0, tasks = {}, open = {}, ended = {},
    results = {}}
  local ok, fault = pcall(run, batch)
  -- What is left was given up. What a client fetches is the client's, and goes on.
  for _, task in pairs(batch.tasks) do task:cancel() end
  for _, close in pairs(batch.open) do close() end   -- Ctrl-C may have come at a task's end
  reader:close()
  if not ok then error(fault, 0) end
  if fault then return nil, fault end
  return batch.results
end
