--- The pulse of a worker: one timer that keeps the tokens of all banks fresh, also without
-- requests.
--
-- nginx repeats the timer. nginx may drop a run when its limits for timers are reached; the next
-- run does the work. Every worker has a pulse. The lease lets one worker at a time ask a bank.

local clients = require "corebank.auth.gateway.clients"
local core = require "corebank.auth.core"
local host = require "corebank.auth.host.nginx"
local log = require "corebank.auth.gateway.log"
local next_token = require "corebank.auth.client.next_token"
local setup = require "corebank.auth.gateway.setup"

local ngx = ngx

local PERIOD = 1               -- seconds between two beats
local MOST_FETCHES = 32        -- in flight at a time, of one worker's pulse
local MOST_IN_A_ROW = 20       -- banks that are checked before requests run
local TURN = 0.001             -- seconds in which requests run then
local SHORTEST_PAUSE = 0.05    -- seconds between two checks of a bank, or of all banks
local LONGEST_PAUSE = 60
local UNSETTLED_PAUSE = 1      -- while the token is not fresh
local LONGEST_WITHOUT = 4      -- seconds until a bank is asked again, at most, without a token

local pulse = {
  isRunning = false,   -- whether there are beats; they also count what requests noted
}

local triedAt   -- the last attempt to start the pulse, on the boot clock

-- ---- one bank ----------------------------------------------------------------------------------

-- Fetches or refreshes a token by a function of the client. The client's events report the outcome.
-- But ready() or metrics() may have taken another worker's token from the store, without an event.
local function look(bank, get)
  local ok, fault = pcall(get, bank.client, LONGEST_WITHOUT)
  if not ok then log.fault(bank, "a look at the token", fault) end
  local told, pause = bank.client:explain(), UNSETTLED_PAUSE * (0.75 + 0.5 * math.random())
  if told.state == "fresh" then
    log.recovery(bank)
    pause = math.max(SHORTEST_PAUSE, math.min(told.refreshIn + 0.001, LONGEST_PAUSE))
  end
  bank.due = core.boot() + pause
end

local function tend(bank)
  if bank.client then return look(bank, next_token.tend) end
  setup.try(bank)
end

-- After a rejection: gets a token as a request does. Failures of earlier refreshes do not delay it.
local function look_soon(premature, bank)
  if not premature and bank.client and not bank.gone then look(bank, bank.client.token) end
end

--- Fetches the next token of a bank at once.
function pulse.hasten(bank)
  if not ngx.timer.at(0, look_soon, bank) then bank.due = 0 end
end

-- ---- all banks ---------------------------------------------------------------------------------

local function is_fetching(bank)
  return bank.client ~= nil and bank.client:is_fetching()
end

local turn = 0   -- where a sweep begins: each sweep begins at another bank

-- Checks all banks that are due. Returns the time at which the next one is due.
local function sweep()
  local list, now, next_due = clients.each(), core.boot(), math.huge
  local fetching, looked = 0, 0
  for _, bank in ipairs(list) do
    if is_fetching(bank) then fetching = fetching + 1 end
  end
  turn = turn + 1
  for i = 1, #list do
    local bank = list[(i + turn) % #list + 1]
    if bank.due <= now and not is_fetching(bank) then
      if fetching < MOST_FETCHES then
        if not bank.gone then tend(bank) end
        if is_fetching(bank) then fetching = fetching + 1 end
        looked = looked + 1
        if looked % MOST_IN_A_ROW == 0 then ngx.sleep(TURN) end
      else
        next_due = math.min(next_due, now + SHORTEST_PAUSE)
      end
    end
    if bank.due > now then next_due = math.min(next_due, bank.due) end
  end
  return next_due
end

local sweeping = false

-- Runs one sweep at a time, because a sweep counts fetches: a beat that comes during a sweep does
-- not start another.
local function sweep_alone()
  if sweeping then return math.huge end
  sweeping = true
  local ok, result = pcall(sweep)
  sweeping = false
  if not ok then error(result, 0) end
  return result
end

local function count_noted()
  for _, bank in ipairs(clients.each()) do
    if bank.metrics then bank.metrics:count_noted() end
  end
end

local listeners = {}

--- Calls a function before each beat.
---@param listener fun()
function pulse.before_beat(listener)
  listeners[#listeners + 1] = listener
end

local function call_listeners()
  for _, listener in ipairs(listeners) do
    local ok, fault = pcall(listener)
    if not ok then log.beat(fault) end
  end
end

-- One beat. It sweeps again for banks that are due before the next beat. In an exiting worker,
-- nginx calls it a last time, with `premature`.
local function beat(premature)
  if premature then
    pulse.isRunning = false
    return count_noted()
  end
  local ends = core.boot() + PERIOD
  call_listeners()
  while not ngx.worker.exiting() do
    local seconds = sweep_alone() - core.boot()
    if core.boot() + seconds >= ends then break end
    ngx.sleep(math.max(seconds, TURN))
  end
  clients.close_unused()
  count_noted()
  host.run_what_is_left()
end

--- Starts the pulse, unless it is running. A worker that is exiting gets no timer.
function pulse.start()
  if pulse.isRunning or ngx.worker.exiting() then return end
  triedAt = core.boot()
  local started, fault = ngx.timer.every(PERIOD, beat)
  log.timer(fault)
  if not started then return end
  pulse.isRunning = true
  ngx.timer.at(0, beat)   -- without this timer, the first beat comes after a second
end

--- Tries again to start the pulse, if an attempt has failed.
function pulse.ensure()
  if triedAt and not pulse.isRunning and core.boot() >= triedAt + PERIOD
    and not ngx.worker.exiting() then
    pulse.start()
  end
end

return pulse
