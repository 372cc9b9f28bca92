--- How a host with an event loop waits for a transfer: by steps of the engine, with sleeps between
-- them. A step moves all transfers, so one of the waiting tasks makes the steps for all of them.

local core = require "corebank.auth.core"

local SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.010   -- seconds between two steps
local GROWTH = 1.03   -- so a pause is about 1/30 of the time since the first one

local steppedAt = -math.huge

local function is_done_now(transfer)
  local now = core.boot()
  if now - steppedAt < SHORTEST_PAUSE / 2 then return transfer:is_done() end
  steppedAt = now
  return transfer:step()
end

--- Waits until a transfer is done, or for `seconds`.
---@param sleep fun(seconds: number) waits; other tasks run meanwhile
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
