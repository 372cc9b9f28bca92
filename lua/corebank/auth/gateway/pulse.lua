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
local MOST_IN_A_ROW = 20       -- banks looked after before requests run
local TURN = 0.001             -- seconds that these have
local SHORTEST_PAUSE = 0.05    -- seconds between two looks at a bank, or at all of them
local LONGEST_PAUSE = 60
local UNSETTLED_PAUSE = 1      -- while the token is not fresh
local LONGEST_WITHOUT = 4      -- seconds until a bank is asked again, at most, while there is none

local pulse = {
  isRunning = false,   -- whether there are beats, which add what requests noted to the counters
}

local triedAt   -- the last attempt to start it, on the boot clock

-- ---- one bank ----------------------------------------------------------------------------------

-- Fetches or refreshes by one of the client's functions. The client's events tell of the outcome;
-- but no event tells of a token of another worker that ready() or metrics() found.
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

-- After a rejection. As a request that needs a token does: whatever failed before.
local function look_soon(premature, bank)
  if not premature and bank.client and not bank.gone then look(bank, bank.client.token) end
end

--- A bank needs the next token at once.
function pulse.hasten(bank)
  if not ngx.timer.at(0, look_soon, bank) then bank.due = 0 end
end

-- ---- all of them -------------------------------------------------------------------------------

local function is_fetching(bank)
  return bank.client ~= nil and bank.client:is_fetching()
end

local turn = 0   -- where a sweep begins: not always the same banks wait for others

-- Looks after all banks that are due. Returns when the next one is.
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

-- One sweep at a time, as it counts fetches: a beat during the sweep of another beat does nothing.
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

-- Sweeps again for banks that are due before the next beat. An exiting worker calls it a last time,
-- with `premature`.
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

--- Starts it, unless it was started.
function pulse.start()
  if pulse.isRunning then return end
  triedAt = core.boot()
  local started, fault = ngx.timer.every(PERIOD, beat)
  log.timer(fault)
  if not started then return end
  pulse.isRunning = true
  ngx.timer.at(0, beat)   -- if there is no timer, the first beat comes in a second
end

--- Starts it again when an attempt has failed.
function pulse.ensure()
  if triedAt and not pulse.isRunning and core.boot() >= triedAt + PERIOD
    and not ngx.worker.exiting() then
    pulse.start()
  end
end

return pulse
