--- How a flight gets a token when there is a store: it takes the store's token, or asks the bank if
-- it gets the lease, or waits for the token that the lease owner puts into the store.

local freshness = require "corebank.auth.client.freshness"
local problem = require "corebank.auth.exchange.problem"

local FIRST_LOOK, LONGEST_LOOK = 0.01, 0.1  -- seconds between looks for what the owner got
local LEAST_TO_ASK = 1                      -- seconds left; or a quarter of the timeout
local LONGEST_REST = 1                      -- seconds for which a call may be kept off the bank
local LOOK_AGAIN = 0.25   -- seconds until a refresh that is left to others is looked for
local RENEW = 1           -- seconds between two looks at the lease while the bank is asked

local turn = {}

-- Until when a flight needs the lease: to the end of its call. A refresh that a script may leave
-- alone needs it only until it must have been heard of again: others may be waiting for it.
local function needed_until(flight)
  local idle = not flight.isUrgent and flight.client.host.longestIdle
  return math.min(flight.deadline, idle and flight.client.system.boot() + idle or math.huge)
end

--- More time for the lease, if it is the flight's and it needs more.
---@param flight corebank.auth.Flight
function turn.keep(flight)
  if flight.deadline then flight.client.lease:renew(needed_until(flight)) end
end

-- Waits as the client's host does, and keeps the lease meanwhile.
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

-- Whether the flight is over: the store has a token that will do, or somebody has ended the flight
-- while the store was asked. If not: the failure that is there.
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

-- Whether it is over, by a failure, too, if that is the answer for whoever waits since `began`.
local function look(flight, began, anew)
  local client = flight.client
  local isOver, failure = is_over(flight, anew)
  if isOver then return true end
  flight.problem = failure and freshness.heed(client, failure, flight.isUrgent and began or nil)
  if flight.problem then client.isWithheld = false end
  return flight.problem ~= nil
end

-- Unless the turn came so late that it would be in vain: then it is the next one's.
local function ask(flight)
  local client = flight.client
  local least = math.min(LEAST_TO_ASK, flight.timeout / 4)
  if flight.deadline - client.system.boot() < least then
    client.lease:release()
    return timed_out()
  end
  return flight:ask(host_of(flight), function() return (is_over(flight, true)) end)
end

--- Gets a token.
---@param flight corebank.auth.Flight
---@return corebank.auth.Token?
---@return corebank.auth.Problem? # both nil: the store had it, or a refresh is left to the owner of
--- the lease
function turn.get(flight)
  local client, timeout = flight.client, flight.timeout
  local host, shared, system = client.host, client.shared, client.system
  local began, pause = system.boot(), FIRST_LOOK
  flight.deadline = began + timeout
  if not flight.isUrgent then   -- else its caller has done this
    shared:report_anew()
    if look(flight, began) then return nil end
  end
  while true do
    -- Or renewed: the machine may have slept in between.
    local isOurs = client.lease:take(needed_until(flight), not flight.isUrgent)
    if not isOurs then
      if not flight.isUrgent then
        client.nextRefresh = system.boot() + LOOK_AGAIN
        return nil
      end
      local left = flight.deadline - system.boot()
      if left <= 0 then return timed_out() end
      host.sleep(math.min(pause, left))
      pause = math.min(2 * pause, LONGEST_LOOK)
    end
    -- Also once it is our turn: whoever had it before has put what came before letting go.
    if look(flight, began, isOurs) then return nil end
    if isOurs then
      local rest = freshness.rest_before_asking(client)
      if rest <= 0 or system.boot() >= flight.deadline then return ask(flight) end
      host.sleep(rest)
      -- As without a store, this takes nothing from the call: a token may come that much later.
      flight.deadline = math.min(flight.deadline + rest, began + timeout + LONGEST_REST)
    end
  end
end

return turn
