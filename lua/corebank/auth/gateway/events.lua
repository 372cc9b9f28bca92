--- Takes the events of a bank's client: counts them, and logs what changes.

local log = require "corebank.auth.gateway.log"

local ngx = ngx

local events = {}

local function count(bank, counter)
  if bank.metrics then bank.metrics:add(counter) end
end

local function count_fetch(bank, event)
  count(bank, "fetches:" .. event.name)
  if bank.metrics then bank.metrics:add_duration(event.seconds) end
end

local listeners = {}

function listeners.fetched(bank, event)
  count_fetch(bank, event)
  log.recovery(bank)
  log.store_recovery(bank)
end

function listeners.failed(bank, event)
  if event.attempts > 0 then count_fetch(bank, event) end   -- 0: another worker's flight
  log.trouble(bank, event)
end

listeners.refreshed, listeners.denied = listeners.fetched, listeners.failed

-- Another worker has fetched a token.
function listeners.found(bank)
  log.recovery(bank)
  log.store_recovery(bank)
end

-- Requests are counted, not our own timer, which waits after a rejection.
function listeners.waited(bank)
  if ngx.get_phase() ~= "timer" then count(bank, "waits") end
end

function listeners.invalidated(bank, event)
  count(bank, "invalidated")
  log.rejection(bank, event)
end

function listeners.store_failed(bank, event)
  count(bank, "store_faults")
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
