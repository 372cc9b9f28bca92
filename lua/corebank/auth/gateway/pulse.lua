--- The pulse of a worker: one timer that looks after all banks, whether requests come or not.
--
-- nginx arms it again by itself: a beat that is dropped, for there are limits to timers, is made up
-- for by the next one. Every worker has such a pulse; the lease lets one of them ask a bank.

local banks = require "corebank.auth.gateway.banks"
local client = require "corebank.auth.client.client"
local core = require "corebank.auth.core"
local host = require "corebank.auth.host.nginx"
local notes = require "corebank.auth.gateway.notes"

local ngx = ngx

local PERIOD = 1               -- seconds between two beats
local MOST_FETCHES = 32        -- that the pulses of a worker have in flight at a time
local MOST_IN_A_ROW = 20       -- banks looked after before requests have their turn
local TURN = 0.001             -- seconds of that
local SHORTEST_PAUSE = 0.05    -- seconds between two looks at a bank, or at who is next
local LONGEST_PAUSE = 60
local UNSETTLED_PAUSE = 1      -- while there is no token, or it is being refreshed
local LONGEST_WITHOUT = 4      -- until a bank is asked again, at most, while there is no token

local pulse = {}

local wanted, running = false, false
local tried = -math.huge   -- when it was last to be started, on the boot clock

-- ---- one bank ----------------------------------------------------------------------------------

local function seconds_to_next_look(told)
  if told.state ~= "fresh" then return UNSETTLED_PAUSE * (0.75 + 0.5 * math.random()) end
  return math.max(SHORTEST_PAUSE, math.min(told.refreshIn + 0.001, LONGEST_PAUSE))
end

-- Fetches or refreshes by one of the client's functions. What comes of it is told by events; but
-- not what ready() or metrics() took over from another worker.
local function look(bank, get)
  local ok, fault = pcall(get, bank.client, LONGEST_WITHOUT)
  if not ok then notes.fault(bank, "a look at the token", fault) end
  local told = bank.client:explain()
  if told.state == "fresh" then notes.recovery(bank) end
  bank.due = core.boot() + seconds_to_next_look(told)
end

local function tend(bank)
  if bank.client then return look(bank, client.tend) end
  banks.try(bank)
end

-- After a rejection: as a caller who is in need, whatever went wrong before.
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

local turn = 0   -- so that it is not always the same ones that have to wait

-- Looks after all whose time has come. Returns when the next one's does.
local function sweep()
  local list, now, next_due = banks.all(), core.boot(), math.huge
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

-- One at a time, for it counts fetches: a beat that comes while the last one is at it leaves it so.
local function sweep_alone()
  if sweeping then return math.huge end
  sweeping = true
  local ok, result = pcall(sweep)
  sweeping = false
  if not ok then error(result, 0) end
  return result
end

local function count_noted()
  for _, bank in ipairs(banks.all()) do
    if bank.metrics then bank.metrics:count_noted() end
  end
end

-- One that is due between two beats is not left until the next.
local function beat_once()
  local ends = core.boot() + PERIOD
  while not ngx.worker.exiting() do
    local seconds = sweep_alone() - core.boot()
    if core.boot() + seconds >= ends then break end
    ngx.sleep(math.max(seconds, TURN))
  end
  banks.close_retired()
  count_noted()
  host.drive_what_is_left()
end

-- A worker that exits calls it once more, and never again.
local function beat(premature)
  if premature then
    running = false
    return count_noted()
  end
  beat_once()
end

local function first_beat(premature)
  if not premature then beat_once() end
end

--- Whether requests may leave it to the pulse to count them.
function pulse.is_running()
  return running
end

--- Starts it, unless it was started.
function pulse.start()
  if running then return end
  wanted, tried = true, core.boot()
  local started, fault = ngx.timer.every(PERIOD, beat)
  notes.timer(fault)
  if not started then return end
  running = true
  ngx.timer.at(0, first_beat)   -- one that cannot be had is made up for by the next
end

--- Starts it when that has failed before.
function pulse.ensure()
  if wanted and not running and core.boot() >= tried + PERIOD and not ngx.worker.exiting() then
    pulse.start()
  end
end

return pulse
