--- Handles the events of a bank's client, by their names: counts them, and logs changes.

local log = require "corebank.auth.gateway.log"

local ngx = ngx

---@type table<string, fun(bank: corebank.auth.gateway.Bank, event: corebank.auth.Event)>
local events = {}

local function count_fetch(bank, event)
  bank.metrics:add("fetches:" .. event.name)
  bank.metrics:add_duration(event.seconds)
end

-- The token was in the store: another worker has fetched it.
function events.found(bank)
  log.recovery(bank)
  log.store_recovery(bank)
end

function events.fetched(bank, event)
  count_fetch(bank, event)
  events.found(bank)
end

function events.failed(bank, event)
  if event.attempts > 0 then count_fetch(bank, event) end   -- 0: another worker asked the bank
  log.trouble(bank, event)
end

events.refreshed, events.denied = events.fetched, events.failed

-- Counts requests only. The gateway's own timer also waits after a rejection.
function events.waited(bank)
  if ngx.get_phase() ~= "timer" then bank.metrics:add "waits" end
end

function events.invalidated(bank, event)
  bank.metrics:add "invalidated"
  log.rejection(bank, event)
end

function events.store_failed(bank, event)
  bank.metrics:add "store_faults"
  log.store_fault(bank, event)
end

return events
