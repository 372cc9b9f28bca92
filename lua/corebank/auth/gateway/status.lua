--- The state of a bank, for the page and for the JSON of status(). Both are made from the same
-- table, so they show the same. The table contains no secret and no token.

local advice = require "corebank.auth.gateway.advice"
local core = require "corebank.auth.core"
local no_dict = require "corebank.auth.gateway.no_dict"

---@class corebank.auth.gateway.Problem
---@field message string
---@field code corebank.auth.Code? nil: the problem is a mistake in setup
---@field at string? when, in UTC
---@field isOver boolean whether the bank has given a token since
---@field whatToDo string

---@class corebank.auth.gateway.Status unknown values are absent
---@field name string
---@field bank string? the origin of its base URL
---@field state string as bank:explain() has it, or "not set up"
---@field isValid boolean whether there is a valid token
---@field source string? "bank" or "store"
---@field remaining integer? seconds until the token ends
---@field refreshIn integer? seconds until the token is refreshed; 0 when a refresh is due
---@field inFlight boolean whether a request for a token is in flight
---@field problem corebank.auth.gateway.Problem? the last one
---@field pause integer? seconds for which the bank is not asked
---@field store string? the kind of the store
---@field storeFault {message: string, whatToDo: string}?
---@field countersOf "all workers"|"this worker"
---@field counters table<string, integer>? nil: there is no such dict

local status = {}

--- A time in UTC, in the format of RFC 3339.
---@param seconds number epoch time
---@return string
function status.moment(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(seconds))
end

local function whole(seconds)
  return seconds and math.floor(seconds)
end

local function add_problem(told, explained)
  if not explained.problem then return end
  local isOver = explained.failures == 0
  told.problem = {message = core.printable(explained.problem), code = explained.problemCode,
    at = status.moment(explained.problemAt), isOver = isOver,
    whatToDo = advice.about(explained.problemCode, isOver)}
end

local function add_client(told, bank)
  local explained = bank.client:explain()
  told.bank, told.state = core.printable(explained.client), explained.state
  told.source, told.inFlight = explained.source, explained.inFlight
  told.remaining, told.refreshIn = whole(explained.remaining), whole(explained.refreshIn)
  told.pause = explained.latchedFor and math.ceil(explained.latchedFor)
  told.store = explained.store and core.printable(explained.store)
  add_problem(told, explained)
  if bank.storeFault then
    told.storeFault = {message = core.printable(bank.storeFault), whatToDo = advice.STORE}
  end
end

local function add_mistake(told, bank)
  told.state = "not set up"
  local where = core.printable(bank.where)
  told.problem = {message = core.printable(bank.mistake or "it is being set up"), isOver = false,
    whatToDo = advice.about_setup(where)}
end

local function add_counters(told, counters)
  told.countersOf = counters and counters.dict ~= no_dict and "all workers" or "this worker"
  if not counters then return end
  counters:count_noted()
  told.counters = counters:totals()
end

--- Makes the state of a bank.
---@param bank corebank.auth.gateway.Bank
---@param token corebank.auth.Token? its valid token
---@return corebank.auth.gateway.Status
function status.of(bank, token)
  local told = {name = core.printable(bank.name), isValid = token and true or false,
    inFlight = false}
  if bank.client then add_client(told, bank) else add_mistake(told, bank) end
  add_counters(told, bank.metrics)
  return told
end

--- Writes the JSON.
---@param about table the facts about the worker
---@param list corebank.auth.gateway.Status[]
---@param take fun(piece: string) gets the text piece by piece
function status.write(about, list, take)
  take((assert(core.json_encode(about)):gsub("}$", ',"banks":[')))
  for i, told in ipairs(list) do
    take((i > 1 and ",\n" or "\n") .. assert(core.json_encode(told)))
  end
  take "]}\n"
end

return status
