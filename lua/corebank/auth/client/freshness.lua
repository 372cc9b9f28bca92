--- The state of a client: its token, when to refresh the token, failures and rejections. The
-- functions change fields of the client. They do not wait, do no I/O and report no events.

local latch = require "corebank.auth.client.latch"
local problem = require "corebank.auth.exchange.problem"

local SHARE_REFRESHED_AHEAD = 0.2   -- of the lifetime
local LONGEST_AHEAD = 300           -- seconds
local SHARE_LEEWAY = 0.1
local LONGEST_LEEWAY = 10
local MOST_AHEAD = 0.5              -- of the lifetime, whatever refreshAhead says
local JITTER = 0.125                -- of the time refreshed ahead
local FIRST_RETRY, LONGEST_RETRY = 1, 60   -- seconds, of a refresh that failed
local LEAST_BETWEEN_REQUESTS = 1    -- seconds between the starts of two requests
local LEAST_GAIN = 1                -- seconds by which a new token must outlast the old one
local GRAIN = 0.01                  -- seconds by which a cheap clock may be late: a tick, at 100 Hz
local SAME_REQUEST = 0.5            -- seconds; two starts closer than this are of one request
-- Seconds after a rejection in which no other counts: after the first of a series, and at most.
local FIRST_REJECTION_PAUSE, LONGEST_REJECTION_PAUSE = 5, 300
-- Seconds, plus two pauses, after which a rejection starts a new series.
local SHOWN_GOOD = 60

local freshness = {}

--- Sets the fields of a new client.
---@param client corebank.auth.Client
---@param settings table what options.read made
function freshness.begin(client, settings)
  client.leeway, client.refreshAhead = settings.leeway, settings.refreshAhead
  client.failures, client.latch = 0, latch.new(settings.clientSecret)
  client.nextRefresh, client.lastDeparture = -math.huge, -math.huge
  client.lastRejection, client.departed = -math.huge, -math.huge
  client.lookedAgainAt = -math.huge
  client.rejections, client.rejectionBefore, client.rejectionsBefore = 0, -math.huge, 0
  freshness.forget(client)
end

-- Sets the time at which the token becomes stale, on the clocks that are cheapest to read: every
-- call of `token` reads them. Only a stale token is compared with the exact clocks.
local function fresh_until(client, steady, wall)
  client.freshUntil, client.freshUntilWall = steady, wall
  if client.openWindow then client.openWindow(client.current, steady, wall) end
end

-- Fresh until `kept` seconds before the end of the token that ends first. The clocks are read
-- before the remaining time: if the process is stopped in between, the token becomes stale earlier.
local function fresh_until_end(client, kept, token, other)
  local steady, wall = client.system.steady(), client.system.wall()
  local seconds = math.min(token:remaining(), other:remaining()) - kept
  fresh_until(client, steady + seconds, wall + seconds)
end

--- Drops the current token.
function freshness.forget(client)
  client.current, client.source = nil, nil
  client.isRejected, client.isWithheld = false, false
  fresh_until(client, -math.huge, -math.huge)
end

--- Whether the current token may be handed out.
---@return boolean
function freshness.usable(client)
  return client.current ~= nil and not client.isWithheld
    and not client.current:expired(client.currentLeeway)
end

--- Whether the current token is fresh: it is handed out, and no refresh is due.
---@return boolean
function freshness.is_fresh(client)
  return client.before(client.freshUntil, client.freshUntilWall)
end

--- How long to wait before the next request to the bank.
---@return number seconds zero or less when the bank may be asked now
function freshness.rest_before_asking(client)
  return client.lastDeparture + LEAST_BETWEEN_REQUESTS - client.system.boot()
end

--- The leeway of a token with this lifetime, in seconds.
---@return number
function freshness.leeway(client, lifetime)
  return client.leeway or math.min(SHARE_LEEWAY * lifetime, LONGEST_LEEWAY)
end

--- Checks that a new token has more time left than the leeway.
---@param options {leeway: number?} a client, or its settings
---@param token corebank.auth.Token
---@param call corebank.auth.Call the call that brought the token
---@return corebank.auth.Token?
---@return corebank.auth.Problem?
function freshness.check_leeway(options, token, call)
  if token:remaining() > freshness.leeway(options, token:remaining()) then return token end
  return nil, problem.new("expired",
    "leeway is more than the bank's new token has left; make it smaller",
    {status = call.status, attempts = call.attempts})
end

-- Makes a token the current one. `lifetime`: the seconds that it had left when the bank gave it,
-- maybe to another process.
local function adopt(client, token, lifetime)
  local ahead = client.refreshAhead or math.min(SHARE_REFRESHED_AHEAD * lifetime, LONGEST_AHEAD)
  ahead = math.min(ahead, MOST_AHEAD * lifetime)
  local leeway = freshness.leeway(client, lifetime)
  client.current, client.currentLeeway = token, leeway
  client.isRejected, client.isWithheld = false, false
  client.staleFrom = client.system.boot() + token:remaining() - ahead
  fresh_until_end(client,
    math.max(leeway + GRAIN, ahead * (1 - JITTER * client.system.random())), token, token)
end

local function outlasts(client, token)
  return client.isRejected or not freshness.usable(client)
    or token:remaining() >= client.current:remaining() + LEAST_GAIN
end

-- The bank gave a token, maybe to another process, for the request that began at `departed`.
local function receive(client, token, lifetime, departed)
  client.failures, client.nextRefresh = 0, -math.huge
  client.latch:open()
  client.departed = departed
  if outlasts(client, token) then return adopt(client, token, lifetime) end
  -- The new token ends no later. So another request would not help, and there is none before the
  -- leeway. If the tokens differ, the bank may have revoked the old one when it gave the new one.
  if token.accessToken ~= client.current.accessToken then
    client.current, client.currentLeeway = token, freshness.leeway(client, lifetime)
  end
  fresh_until_end(client, client.currentLeeway + GRAIN, token, client.current)
end

--- Whether the bank gave the current token again, for a request that began before the token was
-- rejected. A later request may get another token.
---@param token corebank.auth.Token
---@return boolean
function freshness.is_rejected(client, token)
  return client.isRejected and token.accessToken == client.current.accessToken
    and client.lastDeparture < client.lastRejection
end

-- A new token was requested at `departed`. If the current token was rejected after that, the bank
-- has revoked it for the new one, so the rejection is not one of a series.
local function forgive(client, departed)
  if not client.isRejected or departed >= client.lastRejection then return end
  client.lastRejection, client.rejections = client.rejectionBefore, client.rejectionsBefore
end

--- The bank gave this client a token.
function freshness.issued(client, token)
  forgive(client, client.lastDeparture)
  receive(client, token, token:remaining(), client.lastDeparture)
  client.source = "bank"
end

--- A call to the bank failed.
---@param trouble corebank.auth.Problem
---@return corebank.auth.Failure
function freshness.failed(client, trouble)
  local now = client.system.boot()
  client.failures = client.failures + 1
  client.isWithheld = false   -- a rejected token that has time left is better than none
  client.lastProblem, client.lastProblemAt = trouble, client.system.wall()
  local longest = math.min(FIRST_RETRY * 2 ^ (client.failures - 1), LONGEST_RETRY)
  client.nextRefresh = now + FIRST_RETRY + (longest - FIRST_RETRY) * client.system.random()
  client.latch:note(trouble, now)
  return {problem = trouble, at = now, departed = client.lastDeparture,
    nextRefresh = client.nextRefresh, latched = client.latch.ends, failures = client.failures,
    denials = client.latch.denials, limits = client.latch.limits}
end

--- A refresh ended without an answer, because the script did not continue it in time, although a
-- caller waited for a moment.
function freshness.postpone(client)
  client.nextRefresh = client.system.boot() + LONGEST_RETRY
end

-- ---- rejections --------------------------------------------------------------------------------

-- The pause doubles in a series: the token may not be the cause.
local function pause_after(rejections)
  return math.min(FIRST_REJECTION_PAUSE * 2 ^ (math.max(rejections, 1) - 1),
    LONGEST_REJECTION_PAUSE)
end

--- How long no further rejection counts.
---@return number seconds zero or less when the next one counts
function freshness.rest_before_rejection(client)
  return client.lastRejection + pause_after(client.rejections) - client.system.boot()
end

--- The API rejected the current token. Callers wait for the next token. If the bank gives none,
-- they get the rejected token again. In nginx, where many requests would wait, no caller waits if
-- the token before was rejected, too, or if the last refresh failed.
---@return boolean alike whether the token before was rejected, too, a short time ago
---@return number seconds in which no further rejection counts
function freshness.reject(client)
  local now = client.system.boot()
  local alike = now - client.lastRejection
    <= SHOWN_GOOD + 2 * pause_after(client.rejections)
  client.rejectionBefore, client.rejectionsBefore = client.lastRejection, client.rejections
  client.rejections = alike and client.rejections + 1 or 1
  client.lastRejection, client.rejected = now, client.current
  client.isRejected = true
  client.isWithheld = client.host.longestIdle and true or not alike and client.failures == 0
  -- The next request may start at once, even after failures: the rejections have their own pause.
  client.nextRefresh = -math.huge
  if not (client.flight and client.flight.hasAsked) then client.lastDeparture = -math.huge end
  fresh_until(client, -math.huge, -math.huge)
  return alike, pause_after(client.rejections)
end

local function learn_of_rejection(client, found)
  if (found.lastRejection or -math.huge) <= client.lastRejection then return end
  client.lastRejection, client.rejections = found.lastRejection, found.rejections or 1
end

-- Keeps a token that another process marked as rejected, in case the bank gives no other.
local function hold_back(client, found)
  -- A rejection of the current token must still count here: only then do callers wait for the next.
  if client.current and not client.current:expired() then return end
  learn_of_rejection(client, found)
  client.current, client.source = found.token, "store"
  client.currentLeeway = freshness.leeway(client, found.lifetime)
  client.isRejected, client.isWithheld = true, true
  fresh_until(client, -math.huge, -math.huge)
end

-- ---- from other processes ----------------------------------------------------------------------

--- Takes a token from the store, if it is neither rejected nor expired, and ends later than the
-- current token. If it was requested when the current token was stale, it may also end no later.
-- The start of its request counts as the start of this client's last request. A rejection that led
-- to its request counts here, too, so that all processes share one pause.
---@param found corebank.auth.Found?
---@return boolean # whether the token was taken
function freshness.take(client, found)
  if not found or client.isClosed then return false end
  if found.isRejected then
    hold_back(client, found)
    return false
  end
  client.lastDeparture = math.max(client.lastDeparture, found.departed)
  local token, rejected = found.token, client.rejected
  if rejected and token.accessToken == rejected.accessToken
    or token:expired(freshness.leeway(client, found.lifetime))
    or not outlasts(client, token)
      and found.departed < math.max(client.departed + SAME_REQUEST, client.staleFrom) then
    return false
  end
  forgive(client, found.departed)
  learn_of_rejection(client, found)
  receive(client, token, found.lifetime, found.departed)
  client.source = "store"
  return true
end

--- Notes a failure of another process. Returns the problem if it is the outcome for a caller that
-- waits since `since`; or, without a caller, if it is a reason to postpone a refresh.
---@param failure corebank.auth.Failure
---@param since number? on the boot clock
---@return corebank.auth.Problem?
function freshness.heed(client, failure, since)
  local now = client.system.boot()
  client.lastDeparture = math.max(client.lastDeparture, failure.departed)
  client.lastProblem, client.lastProblemAt = failure.problem,
    failure.at - now + client.system.wall()
  if not client.isRejected or failure.at >= client.lastRejection then
    client.nextRefresh = math.max(client.nextRefresh, failure.nextRefresh)
  end
  client.failures = math.max(client.failures, failure.failures)
  client.latch:learn(failure.problem, failure.latched, failure.denials, failure.limits)
  if since and failure.at >= since then return failure.problem end
  local remembered = client.latch:remembered(now)
  if remembered then return remembered end
  if not since and now < client.nextRefresh then return failure.problem end
end

return freshness
