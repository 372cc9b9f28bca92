--- How a flight gets a token when there is a store: it takes the store's token, or asks the bank if
-- it gets the lease, or waits for the token that the lease owner puts into the store.

local freshness = require "corebank.auth.client.freshness"
local problem = require "corebank.auth.exchange.problem"

local FIRST_LOOK, LONGEST_LOOK = 0.01, 0.1  -- seconds between two looks for the owner's token
local LEAST_TO_ASK = 1                      -- seconds that a call needs; or timeout / 4
local LONGEST_REST = 1                      -- seconds by which a rest may lengthen a call
-- Seconds until the store is read again, after a refresh was left to another client.
local LOOK_AGAIN = 0.25
local OWNER_ASKS = 1   -- seconds after a refused lease in which a refresh only reads a far store
local RENEW = 1   -- seconds between two checks of the lease during a call to the bank

local turn = {}

-- Until when a flight needs the lease: until the end of its call. A plain script may never continue
-- a background refresh. Such a refresh needs the lease only until it counts as idle: other clients
-- may be waiting.
local function needed_until(flight)
  local idle = not flight.isUrgent and flight.client.host.longestIdle
  return math.min(flight.deadline, idle and flight.client.system.boot() + idle or math.huge)
end

--- Renews the lease, if the flight has it and needs more time.
---@param flight corebank.auth.Flight
function turn.keep(flight)
  if flight.deadline then flight.client.lease:renew(needed_until(flight)) end
end

-- A host that waits as the client's host does, and renews the lease meanwhile.
local function host_of(flight)
  local client, host = flight.client, {}
  function host.await(transfer)
    while not client.host.await(transfer, RENEW) do turn.keep(flight) end
  end
  function host.sleep(seconds)
    local ends = client.system.boot() + seconds
    repeat
      client.host.sleep(math.min(RENEW, ends - client.system.boot()))
      turn.keep(flight)
    until client.system.boot() >= ends
  end
  return host
end

local function timed_out()
  return nil, problem.new("timeout",
    "another process is asking the bank, and its answer did not come in time", {attempts = 0})
end

-- Whether the flight is over: the store has a usable token, or the flight was ended while the store
-- was read. If the flight is not over, also returns the failure in the store.
local function is_over(flight, anew)
  local client = flight.client
  local found, failure = client.shared:look(anew)
  if client.flight ~= flight then return true end
  if freshness.take(client, found) then
    flight.event = "found"
    return true
  end
  return false, failure
end

-- Whether the flight is over. A failure in the store ends it, too, if the failure is the outcome
-- for callers who have waited since `began`.
local function look(flight, began, anew)
  local client = flight.client
  local isOver, failure = is_over(flight, anew)
  if isOver then return true end
  flight.problem = failure and freshness.heed(client, failure, flight.isUrgent and began or nil)
  if flight.problem then client.isWithheld = false end
  return flight.problem ~= nil
end

-- Asks the bank. If too little time is left for that, releases the lease for the next client.
local function ask(flight)
  local client = flight.client
  local least = math.min(LEAST_TO_ASK, flight.timeout / 4)
  if flight.deadline - client.system.boot() < least then
    client.lease:release()
    return timed_out()
  end
  return flight:ask(host_of(flight), function() return (is_over(flight, true)) end)
end

-- Leaves the refresh to the lease owner.
local function leave(client)
  client.nextRefresh = client.system.boot() + LOOK_AGAIN
  return nil
end

--- Gets a token.
---@param flight corebank.auth.Flight
---@return corebank.auth.Token?
---@return corebank.auth.Problem? # both nil: the store had the token, or a refresh is left to the
--- lease owner
function turn.get(flight)
  local client, timeout = flight.client, flight.timeout
  local host, shared, system = client.host, client.shared, client.system
  local began, pause = system.boot(), FIRST_LOOK
  flight.deadline = began + timeout
  if not flight.isUrgent then   -- the caller of an urgent flight has done this
    shared:report_anew()
    if look(flight, began) then return nil end
    if shared.store.hasCopies then
      -- Mostly another host has refreshed the token. To read it takes one operation of a far store;
      -- to take the lease, read and release it takes three.
      if look(flight, began, true) then return nil end
      if client.lease:was_refused(OWNER_ASKS) then return leave(client) end
    end
  end
  while true do
    -- Takes the lease, or renews it: the machine may have slept since.
    local isOurs = client.lease:take(needed_until(flight), not flight.isUrgent)
    if not isOurs then
      if not flight.isUrgent then return leave(client) end
      local left = flight.deadline - system.boot()
      if left <= 0 then return timed_out() end
      host.sleep(math.min(pause, left))
      pause = math.min(2 * pause, LONGEST_LOOK)
    end
    -- Reads the store with the lease, too: the previous owner put its outcome there before it
    -- released the lease.
    if look(flight, began, isOurs) then return nil end
    if isOurs then
      local rest = freshness.rest_before_asking(client)
      if rest <= 0 or system.boot() >= flight.deadline then return ask(flight) end
      host.sleep(rest)
      -- As without a store, the rest is added to the time of the call.
      flight.deadline = math.min(flight.deadline + rest, began + timeout + LONGEST_REST)
    end
  end
end

return turn
