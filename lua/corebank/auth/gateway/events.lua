--- Takes the events of a bank's client: counts them, and logs what changes.

local log = require "corebank.auth.gateway.log"

local ngx = ngx

local events = {}

local function count_fetch(bank, event)
  bank.metrics:add("fetches:" .. event.name)
  bank.metrics:add_duration(event.seconds)
end

local listeners = {}

-- Another worker has fetched a token.
function listeners.found(bank)
  log.recovery(bank)
  log.store_recovery(bank)
end

function listeners.fetched(bank, event)
  count_fetch(bank, event)
  listeners.found(bank)
end

function listeners.failed(bank, event)
  if event.attempts > 0 then count_fetch(bank, event) end   -- 0: another worker's flight
  log.trouble(bank, event)
end

listeners.refreshed, listeners.denied = listeners.fetched, listeners.failed

-- Requests are counted, not our own timer, which waits after a rejection.
function listeners.waited(bank)
  if ngx.get_phase() ~= "timer" then bank.metrics:add "waits" end
end

function listeners.invalidated(bank, event)
  bank.metrics:add "invalidated"
  log.rejection(bank, event)
end

function listeners.store_failed(bank, event)
  bank.metrics:add "store_faults"
  log.store_fault(bank, event)
end

--- Takes an event of the bank's client.
---@param bank corebank.auth.gateway.Bank
---@param event corebank.auth.Event
function events.hear(bank, event)
  local listener = listeners[event.name]
  if listener then listener(bank, event) end
end

return events
