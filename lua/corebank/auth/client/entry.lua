--- The text of an entry in a store: a token, and the last failure since.
--
-- An entry is a line with the version, the lines of the token, an empty line, and the lines of the
-- failure. Either may have none. A line is `name value`.
--
-- Times are in microseconds on two clocks, the boot clock and the wall clock. Nobody can set the
-- boot clock, but it starts again with the machine; `session` names the start. A reader uses the
-- boot clock if the start is still the same and the clock has not gone back, as it does when a
-- machine is reset to a snapshot. Otherwise the reader uses the wall clock. An entry that was
-- written in the future by the wall clock is then ignored.
--
-- A store for many machines returns by its own clock how long it still keeps an entry. Then only
-- this time counts. `keptFor` is how long the store promised to keep the entry: it gives the age.

local problem = require "corebank.auth.exchange.problem"
local token = require "corebank.auth.exchange.token"

local entry = {}

local VERSION = "version 2\n"

local function text_of(value) return value end
local function is_true(value) return value == "true" end

local FAILURE_KEPT = 300   -- seconds for which a failure counts: no Retry-After lasts longer

-- The fields, and what reads each. The moments, and how many seconds ahead each may lie at most; 0:
-- it has been. The end of a token is in both: each clock has one of its own.
local TOKEN = {accessToken = text_of, tokenType = text_of, expirationTime = tonumber,
  tokenValiditySec = tonumber, lifetime = tonumber, remaining = tonumber, endsBoot = tonumber,
  endsWall = tonumber, rejections = tonumber, isRejected = is_true}
local MOMENTS_OF_TOKEN = {departed = 0, lastRejection = 0, ends = math.huge}

-- Of a problem all but its body.
local FAILURE = {code = text_of, message = text_of, requestId = text_of, secretFault = text_of,
  status = tonumber, attempts = tonumber, retryAfter = tonumber, retryable = is_true,
  failures = tonumber, denials = tonumber, limits = tonumber}
local MOMENTS_OF_FAILURE = {at = 0, departed = 0, nextRefresh = 60, latched = FAILURE_KEPT}

local function write(values, fields, moments, system, keptFor)
  local written, lines = {session = system.session() or "", keptFor = keptFor and keptFor * 1e6,
    writtenWall = keptFor and system.wall() * 1e6}, {}
  for name in pairs(fields) do written[name] = values[name] end
  for name in pairs(moments) do
    local moment = values[name]
    if moment then
      written[name .. "Boot"] = moment * 1e6
      written[name .. "Wall"] = (moment - system.boot() + system.wall()) * 1e6
    end
  end
  for name, value in pairs(written) do
    local text = type(value) == "number" and ("%.0f"):format(math.floor(value)) or tostring(value)
    lines[#lines + 1] = ("%s %s\n"):format(name, text:gsub("%c", " "))
  end
  return table.concat(lines)
end

local SAME = 1   -- seconds by which a moment that has been may seem to lie ahead

-- The moment under `name` on this process's boot clock; nil when there is none. By the wall clock's
-- word it may be any, for that may have been set in between. When one that has been seems to lie
-- ahead nobody knows when it was: long ago.
local function moment_of(lines, name, ahead, system)
  local boot, wall = tonumber(lines[name .. "Boot"]), tonumber(lines[name .. "Wall"])
  if not boot or not wall then return nil end
  local now = system.boot()
  local moment = lines.writtenAt and lines.writtenAt + (wall - lines.writtenWall) / 1e6
    or lines.isThisSession and boot / 1e6 or wall / 1e6 - system.wall() + now
  if ahead == 0 and moment > now + SAME then return -math.huge end
  return math.min(moment, now + ahead)
end

-- `keptUntil`: what the store's clock says, as a moment on this process's boot clock.
local function read_values(text, fields, moments, system, keptUntil)
  local lines, values = {}, {}
  for name, value in text:gmatch("(%a+) ([^\n]*)\n") do lines[name] = value end
  -- When its request was sent: the first of its moments.
  local boot, wall = tonumber(lines.departedBoot), tonumber(lines.departedWall)
  if not boot or not wall then return {} end
  if keptUntil then
    lines.writtenAt = keptUntil - (tonumber(lines.keptFor) or 0) / 1e6
    local isPossible = lines.keptFor and lines.writtenAt <= system.boot() + SAME
    if not (isPossible and tonumber(lines.writtenWall)) then return {} end
  else
    lines.isThisSession = lines.session ~= "" and lines.session == system.session()
      and boot <= system.boot() * 1e6
    if not lines.isThisSession and wall > system.wall() * 1e6 then return {} end
  end
  for name, reader in pairs(fields) do values[name] = reader(lines[name]) end
  for name, ahead in pairs(moments) do values[name] = moment_of(lines, name, ahead, system) end
  values.writtenAt = lines.writtenAt
  return values
end

---@class corebank.auth.Found
---@field token corebank.auth.Token
---@field lifetime number seconds that it had left when the bank gave it
---@field departed number when the request for it began, on the boot clock
---@field lastRejection number? when it or a token before it was rejected, as far as known
---@field rejections integer? how many were rejected in a row
---@field isRejected boolean whether it was itself

local function of_token(found, system, keptFor)
  local values = {accessToken = found.token.accessToken}
  for name, value in pairs(found.token) do values[name] = value end
  for name, value in pairs(found) do values[name] = value end
  local bootDeadline, wallDeadline = token.deadlines(found.token)
  values.lifetime, values.remaining = found.lifetime * 1e6, found.token:remaining() * 1e6
  values.endsBoot, values.endsWall = bootDeadline * 1e6, wallDeadline * 1e6
  return write(values, TOKEN, MOMENTS_OF_TOKEN, system, keptFor)
end

local function to_token(text, system, keptUntil)
  local values = read_values(text, TOKEN, MOMENTS_OF_TOKEN, system, keptUntil)
  if not (values.accessToken and values.tokenType and values.departed and values.ends) then
    return nil
  end
  local lifetime = (values.lifetime or 0) / 1e6
  local ends = math.min(values.ends, system.boot() + lifetime)
  local endsWall = math.min(values.endsWall / 1e6, system.wall() + lifetime)
  if keptUntil then
    ends = math.min(ends, keptUntil, values.writtenAt + (values.remaining or 0) / 1e6)
    endsWall = system.wall() + ends - system.boot()
  end
  local visible = {tokenType = values.tokenType, expirationTime = values.expirationTime,
    tokenValiditySec = values.tokenValiditySec}
  return {token = token.revive(visible, values.accessToken, ends, endsWall, system),
    lifetime = lifetime, departed = values.departed, rejections = values.rejections,
    isRejected = values.isRejected, lastRejection = values.lastRejection}
end

---@class corebank.auth.Failure
---@field problem corebank.auth.Problem
---@field at number when it was known
---@field departed number when the request began
---@field nextRefresh number no refresh in the background before that
---@field latched number? callers are kept off until then
---@field failures integer how many in a row
---@field denials integer how many of them were refusals
---@field limits integer? how many of them were a 429 that did not say how long

local function of_failure(failure, system, keptFor)
  local values = {}
  for name in pairs(FAILURE) do values[name] = failure.problem[name] end
  for name, value in pairs(failure) do values[name] = value end
  values.message = problem.plain_message(failure.problem)
  return write(values, FAILURE, MOMENTS_OF_FAILURE, system, keptFor)
end

local function to_failure(text, system, keptUntil)
  local failure = read_values(text, FAILURE, MOMENTS_OF_FAILURE, system, keptUntil)
  if not failure.at or failure.at < system.boot() - FAILURE_KEPT then return nil end
  if not (problem.is_code(failure.code) and failure.message and failure.failures
    and failure.denials and failure.departed and failure.nextRefresh) then
    return nil
  end
  failure.problem = problem.new(failure.code, failure.message, {status = failure.status,
    retryable = failure.retryable, retryAfter = failure.retryAfter, attempts = failure.attempts,
    requestId = failure.requestId, secretFault = failure.secretFault})
  return failure
end

--- Writes an entry. All moments are on the boot clock.
---@param found corebank.auth.Found?
---@param failure corebank.auth.Failure?
---@param system table boot, wall, session
---@return string text
---@return number seconds for which the store is to keep it
function entry.write(found, failure, system)
  local keptFor = math.max(found and found.token:remaining() or 0, failure and FAILURE_KEPT or 0)
  return table.concat{VERSION, found and of_token(found, system, keptFor) or "", "\n",
    failure and of_failure(failure, system, keptFor) or ""}, keptFor
end

--- Reads it.
---@param text string
---@param system table
---@param keptUntil number? until when the store keeps it, on the boot clock
---@return corebank.auth.Found? # nil when there is no token
---@return corebank.auth.Failure? # nil when there is none, or it is too old to count
function entry.read(text, system, keptUntil)
  local between = text:find("\n\n", 1, true)
  if not between or text:sub(1, #VERSION) ~= VERSION then return nil end
  return to_token(text:sub(1, between), system, keptUntil),
    to_failure(text:sub(between), system, keptUntil)
end

return entry
