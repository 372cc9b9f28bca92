--- Many tokens at once: calls and clients side by side on one engine, so many of them at a time.
--
-- A batch is to its host what a transfer is: something to step, and to wait for. Each element has a
-- flight of its own; one step of the engine moves all of them.

local check = require "corebank.auth.options.check"
local core = require "corebank.auth.core"
local client = require "corebank.auth.client.client"
local exchange = require "corebank.auth.exchange.exchange"
local flight = require "corebank.auth.client.flight"
local options = require "corebank.auth.options.read"

---@class corebank.auth.ManyOptions
---@field parallel integer? how many at a time, 1 to 256; default 32
---@field onProgress fun(done: integer, total: integer)? called after each result

---@class corebank.auth.Result
---@field token corebank.auth.Token? or, when there is none:
---@field message string?
---@field problem corebank.auth.Problem?

local PARALLEL = 32
local MOST_PARALLEL = 256   -- a process may have 1,024 files, and each locks memory for its bodies

-- A connection costs a handshake, as much as dozens of requests on one that is there. So a batch
-- begins narrow, and is widened by half whenever nothing has landed for a moment: a bank that is
-- far away soon has all it may have, and one that answers at once is not slowed by handshakes.
local FIRST_WIDTH = 4
local QUIET = 0.002   -- seconds

local Batch = {}
Batch.__index = Batch

-- ---- one element -------------------------------------------------------------------------------

-- Wipes what an element's call holds of the secret.
local function release(entry)
  local settings = entry.settings
  if not settings then return end
  entry.call:close()
  options.release(settings)
  entry.settings = nil
end

local function note_result(batch, index, token, trouble)
  if token then
    batch.results[index] = {token = token}
  elseif trouble then
    batch.results[index] = {message = trouble.message, problem = trouble}
  end
end

-- A flight for an element. Of a table the options are read again, so that of a long list only the
-- secrets of calls in flight are in memory. Returns the work's arguments.
local function prepare(batch, entry, element)
  local yield = batch.threads.yield
  local work = client.token_and_refresh
  local arguments = {element, yield}
  if not client.is(element) then
    local settings, mistake = options.read(element)
    if not settings then return nil, mistake end
    entry.settings = settings
    entry.call = exchange.new{settings = settings, system = batch.system,
      host = {await = yield, sleep = function(seconds) yield(nil, seconds) end},
      tell = settings.onEvent}
    work, arguments = entry.call.run, {entry.call}
  end
  entry.flight = flight.new(work, function(_, token, trouble)
    release(entry)
    note_result(batch, entry.index, token, trouble)
  end, batch.system, batch.threads)
  return arguments
end

local function start(batch, index)
  local entry = {index = index}
  local arguments, mistake = prepare(batch, entry, batch.list[index])
  if not arguments then
    batch.mistake = ("element %d: %s"):format(index, mistake)
    return
  end
  batch.air[#batch.air + 1] = entry
  entry.flight:start(arguments[1], arguments[2], arguments[3])
end

-- ---- all of them -------------------------------------------------------------------------------

-- Moves on what is in flight, and takes out what has ended.
local function advance(batch, stepped)
  local air, landed = batch.air, 0
  local count = #air
  for i = 1, count do
    local entry = air[i]
    air[i] = nil
    air[i - landed] = entry   -- before it moves: whatever raises, it is there to be given up
    stepped = entry.flight:advance(stepped)
    if entry.flight.done then
      landed = landed + 1
      batch.done = batch.done + 1
      batch.quietUntil = batch.system.boot() + QUIET
      if batch.onProgress then batch.onProgress(batch.done, batch.total) end
    end
  end
  air[count - landed + 1] = nil
end

local function widen(batch)
  local now = batch.system.boot()
  if batch.width == batch.parallel or now < batch.quietUntil then return end
  batch.width = math.min(math.ceil(batch.width * 1.5), batch.parallel)
  batch.quietUntil = now + QUIET
end

-- Starts as many as there is room for; returns whether there were any.
local function fill(batch)
  local before = batch.started
  widen(batch)
  while not batch.mistake and #batch.air < batch.width and batch.started < batch.total do
    batch.started = batch.started + 1
    start(batch, batch.started)
  end
  return batch.started > before
end

-- Waits for any of them, at most `seconds`. Returns whether that stepped the engine.
local function rest(batch, seconds)
  local now = batch.system.boot()
  local transfer
  if batch.width < batch.parallel and batch.started < batch.total then
    seconds = math.min(seconds, batch.quietUntil - now)
  end
  for _, entry in ipairs(batch.air) do
    local wanted, due = entry.flight:awaits()
    if not (wanted or due) then return false end   -- somebody else moved it to its end
    if due then seconds = math.min(seconds, due - now) else transfer = wanted end
  end
  if transfer then
    transfer:wait(seconds)
  elseif seconds > 0 then
    batch.system.sleep(seconds)
  end
  return transfer ~= nil
end

--- Goes as far as it goes without waiting. Raises what a handler raises.
---@param stepped boolean? the engine has just been stepped
---@return boolean done
function Batch:step(stepped)
  advance(self, stepped)
  while fill(self) do advance(self) end
  return self.mistake ~= nil or self.done == self.total
end

--- The same, after waiting for any of those in flight, at most `seconds`.
---@param seconds number
---@return boolean done
function Batch:wait(seconds)
  return self:step(#self.air > 0 and rest(self, seconds))
end

-- Ends what is in flight. What a client fetches is the client's, and goes on.
local function give_up(batch)
  for _, entry in pairs(batch.air) do
    entry.flight:abandon()
    release(entry)
  end
end

-- ---- what the caller gave ----------------------------------------------------------------------

local function check_element(element)
  if client.is(element) then return element.isClosed and "is a client that is closed" or nil end
  if type(element) ~= "table" then
    return "must be a table of options or a client, not " .. type(element)
  end
  local settings, mistake = options.read(element)
  if settings then options.release(settings) end
  return mistake
end

-- A copy of the list; or nil and what is wrong with it.
local function read_list(list)
  if type(list) ~= "table" or client.is(list) then
    return nil, "a list of tables of options is needed"
  end
  local copy, count = {}, 0
  for key in pairs(list) do
    if type(key) ~= "number" then return nil, "a list is needed, and not one table of options" end
    count = count + 1
  end
  for i = 1, count do
    local mistake = check_element(list[i])
    if mistake then return nil, ("element %d: %s"):format(i, mistake) end
    copy[i] = list[i]
  end
  return copy
end

local checks = {parallel = check.number(1, MOST_PARALLEL, true), onProgress = check.callable}

-- What is wrong with the options for all.
local function check_options(given)
  if type(given) ~= "table" then return "the options must be a table, not " .. type(given) end
  for name, value in pairs(given) do
    if not checks[name] then
      return ("unknown option '%s'; there are parallel and onProgress"):format(
        core.printable(tostring(name)):sub(1, 40))
    end
    local ok, reason = checks[name](value)
    if not ok then return name .. " " .. reason end
  end
end

--- Gets a token for each element of a list, and waits for all of them.
---@param list (corebank.auth.Options|corebank.auth.Client)[]
---@param given corebank.auth.ManyOptions?
---@param system table boot, wall, sleep, random, url and transfer, as in corebank.auth.core
---@param host table wait and callers_threads: see host/blocking.lua
---@return corebank.auth.Result[]? results one for each element, in the list's order
---@return string? mistake
return function(list, given, system, host)
  given = given or {}
  local mistake = check_options(given)
  if mistake then return nil, mistake end
  list, mistake = read_list(list)
  if not list then return nil, mistake end
  local parallel = given.parallel or PARALLEL
  local batch = setmetatable({list = list, total = #list, started = 0, done = 0, results = {},
    air = {}, parallel = parallel, width = math.min(FIRST_WIDTH, parallel),
    quietUntil = system.boot() + QUIET, onProgress = given.onProgress,
    system = system, threads = host.callers_threads}, Batch)
  if batch.total == 0 then return batch.results end
  local ok, fault = pcall(host.wait, batch)
  if not ok or batch.mistake then give_up(batch) end
  if not ok then error(fault, 0) end
  if batch.mistake then return nil, batch.mistake end
  return batch.results
end
