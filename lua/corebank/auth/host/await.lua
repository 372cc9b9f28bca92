--- How a host with an event loop waits for a transfer: by steps of the engine, with sleeps between
-- them. A step moves all transfers, so only one of the waiting tasks does the steps at a time.

local core = require "corebank.auth.core"

local SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.010   -- seconds between two steps
local GROWTH = 1.03   -- a pause is about a thirtieth of the time it has taken so far

local steppedAt = -math.huge

local function is_done_now(transfer)
  local now = core.boot()
  if now - steppedAt < SHORTEST_PAUSE / 2 then return transfer:is_done() end
  steppedAt = now
  return transfer:step()
end

--- Returns when the transfer is done, or the seconds are over, if there are any.
---@param sleep fun(seconds: number) lets others run
---@param transfer table
---@param seconds number?
---@return boolean # whether it is done
return function(sleep, transfer, seconds)
  local ends, pause = core.boot() + (seconds or math.huge), SHORTEST_PAUSE
  while not is_done_now(transfer) do
    if core.boot() >= ends then return false end
    sleep(pause)
    pause = math.min(pause * GROWTH, LONGEST_PAUSE)
  end
  return true
end
