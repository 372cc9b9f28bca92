--- Gets many tokens in parallel.

local batch = require "corebank.auth.client.batch"
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

-- ---- what the caller gave ----------------------------------------------------------------------

-- All that may be given.
local all = {}
for _, option in ipairs(batch.OPTIONS) do all[#all + 1] = option end
for _, option in ipairs(list_of_options) do all[#all + 1] = option end

-- A list of tables and clients; or nil and what is wrong with it.
local function copy_list(list)
  if client.is(list) then return nil, "a list of tables of options is needed" end
  return batch.copy_list(list)
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
local function work_for(element, reader, system, host, entry)
  if client.is(element) then
    return function() return next_token.hand_out_and_refresh(element) end, function() end
  end
  local settings, mistake = reader:read(element)
  if not settings then return nil, mistake end
  entry.onEvent = settings.onEvent
  local call = exchange.new{settings = settings, system = system, host = host,
    tell = entry.onEvent and function(event) entry.event = event end}
  return function() return call:run() end, function()
    call:close()
    options.release(settings)
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
  local own, shared = batch.split_options(given or {})
  if not own then return nil, shared end
  local wrong = options.check(shared, all)
  if wrong then return nil, wrong end
  local copy, mistake = copy_list(list)
  if not copy then return nil, mistake end
  local reader
  reader, mistake = check_list(copy, shared)
  if not reader then return nil, mistake end
  local ok, outcomes, fault = pcall(batch.run, {list = copy, parallel = own.parallel,
    onProgress = own.onProgress, host = host, work_for = function(element, entry)
      return work_for(element, reader, system, host, entry)
    end})
  reader:close()
  if not ok then error(outcomes, 0) end
  if not outcomes then return nil, fault end
  return batch.results(outcomes, "token")
end
