--- How a client gets a token: a flight that asks the store or the bank, keeps the outcome and tells
-- of it.

local exchange = require "corebank.auth.exchange.exchange"
local flight = require "corebank.auth.client.flight"
local keeping = require "corebank.auth.client.keeping"
local problem = require "corebank.auth.exchange.problem"

local LOOK_AGAIN = 0.25   -- seconds until a refresh left to others is looked for
-- How a request ends that nobody moves on: by its time limits, or because its peer gives it up.
local LEFT_ALONE = {timeout = true, network = true, tls = true}

local function host_of(client)
  local yield = client.host.threads.yield
  return {await = yield, sleep = function(seconds) yield(nil, seconds) end}
end

local function ask(client, settings, own, deadline, elsewhere)
  client.lastDeparture = client.system.boot()
  local call = exchange.new{settings = settings, system = client.system,
    host = host_of(client), deadline = deadline, elsewhere = elsewhere}
  function own.close_call() call:close() end   -- a dump of a flight shows no settings
  local token, message, trouble = call:run()
  own.attempts = call.attempts
  return token, message, trouble
end

-- The work of a flight. What comes from the store and not from the bank is noted in the flight.
local function obtain(client, settings, own, urgent)
  local wait = client.host.threads.yield
  if not client.shared then
    local rest = keeping.rest_before_asking(client)
    if rest > 0 then wait(nil, rest) end
    return ask(client, settings, own)
  end
  local token, message, trouble = client.shared:fetch(wait, {
    urgent = urgent,
    longest_alone = function() return own:longest_alone() end,
    takes = function(found)
      own.found = keeping.wants(client, found) and found or nil
      return own.found
    end,
    heeds = function(failure, since)
      own.heeded = keeping.heed(client, failure, urgent and since or nil)
      return own.heeded
    end,
    rest = function() return keeping.rest_before_asking(client) end,
    ask = function(deadline, elsewhere) return ask(client, settings, own, deadline, elsewhere) end,
  })
  if not token and not trouble then client.nextRefresh = client.system.boot() + LOOK_AGAIN end
  return token, message, trouble
end

local fetching = {}

--- Whether a new token has more time left than is kept back.
---@param options {leeway: number?} a client, or its settings
---@param token corebank.auth.Token
---@param attempts integer
---@return corebank.auth.Token?
---@return corebank.auth.Problem?
function fetching.check_leeway(options, token, attempts)
  if token:remaining() <= keeping.leeway(options, token:remaining()) then
    return nil, problem.new("expired",
      "leeway is more than the bank's new token has left; make it smaller",
      {status = 200, attempts = attempts})
  end
  return token
end

-- What the bank brought is kept, and put where others find it. Returns the event to tell.
local function settle_with_bank(client, own, token, trouble)
  local took = client.system.boot() - own.started
  if token then
    local name = client.current and "refreshed" or "fetched"
    keeping.issued(client, token)
    if client.shared then
      client.shared:put_token{token = token, lifetime = token:remaining(),
        departed = client.lastDeparture, rejections = client.rejections,
        lastRejection = client.lastRejection > -math.huge and client.lastRejection or nil}
    end
    return name, {attempts = own.attempts, seconds = took}
  end
  local failure = keeping.failed(client, trouble)
  if client.shared and client.shared:holds_lease() then client.shared:put_failure(failure) end
  return trouble.code == "denied" and "denied" or "failed",
    {code = trouble.code, status = trouble.status, attempts = trouble.attempts, seconds = took,
      secretFault = trouble.secretFault}
end

-- What came of a flight is kept. Returns the event to tell, if there is one.
local function settle(client, own, token, trouble)
  local found = own.found
  own.found = nil   -- a flight is kept for its problem; it keeps no token
  if found then
    keeping.take(client, found)
    return "found"
  end
  if own.heeded then
    keeping.fall_back(client)
    client.lastProblem, client.lastProblemAt = own.heeded, client.system.wall()
    return nil
  end
  if not (token or trouble) then return nil end
  if trouble and own.leftAlone and LEFT_ALONE[trouble.code] then
    own.neglected, own.problem = true, nil
    if own.wasWaitedFor then keeping.postpone(client) end
    return nil
  end
  if token then
    token, trouble = fetching.check_leeway(client, token, own.attempts)
    own.problem = trouble
  end
  return settle_with_bank(client, own, token, trouble)
end

-- A flight is over. Nobody is told before all is kept and the lease is back: a handler may raise,
-- and so may one that is told of the store meanwhile.
local function land(client, tell, own, token, trouble)
  if own.close_call then own.close_call() end
  local ok, name, event = pcall(settle, client, own, token, trouble)
  if client.shared then client.shared:release() end
  if not ok then error(name, 0) end
  if name then tell(client, name, event) end
end

--- A flight that has yet to depart.
---@param client corebank.auth.Client
---@param settings table what options.read made
---@param urgent boolean whether a caller waits for it
---@param tell fun(client: corebank.auth.Client, name: string, fields: table?) takes an event
---@return corebank.auth.Flight
function fetching.prepare(client, settings, urgent, tell)
  local own
  own = flight.new(
    function() return obtain(client, settings, own, urgent) end,
    function(_, token, trouble) land(client, tell, own, token, trouble) end,
    client.system, client.host.threads)
  own.patience = client.host.patience
  -- Whoever moves it on: as long as somebody does, the turn to ask is its own.
  if client.shared then
    function own.moved() client.shared:renew(own:longest_alone()) end
  end
  return own
end

return fetching
