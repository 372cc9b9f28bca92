--- What clients tell each other through a store, as text: a token, or why there is none.
--
-- An entry is lines of `name value`. Moments are written in microseconds on two clocks: on the boot
-- clock, which nobody can set, but which starts anew with the machine (`session` names the start),
-- and on the wall clock. A reader takes the boot clock's word if the start is still the same and
-- that clock has not gone back, as it does in a machine that is put back to a snapshot. Else only
-- the wall clock can tell: an entry that was written later than now, by that one, tells nothing.
--
-- A store for many machines tells by its own clock how long it still keeps an entry. Then that
-- counts, and no other clock: `keptFor` is how long that was at first, so a reader knows the age.

local problem = require "corebank.auth.exchange.problem"
local token = require "corebank.auth.exchange.token"

local entry = {}

local function write(fields)
  local lines = {}
  for name, value in pairs(fields) do
    local text = type(value) == "number" and ("%.0f"):format(math.floor(value)) or tostring(value)
    lines[#lines + 1] = ("%s %s\n"):format(name, text:gsub("%c", " "))
  end
  return table.concat(lines)
end

local SAME = 1   -- seconds by which a moment that has been may seem to lie ahead

-- `keptUntil`: what the store's clock says, as a moment on this process's boot clock.
local function read(text, system, keptUntil)
  local fields = {}
  for name, value in text:gmatch("(%a+) ([^\n]*)\n") do fields[name] = value end
  -- When its request was sent: the first of its moments.
  local boot, wall = tonumber(fields.departedBoot), tonumber(fields.departedWall)
  if not boot or not wall then return {} end
  if keptUntil then
    fields.writtenAt = keptUntil - (tonumber(fields.keptFor) or 0) / 1e6
    local isPossible = fields.keptFor and fields.writtenAt <= system.boot() + SAME
    return isPossible and tonumber(fields.writtenWall) and fields or {}
  end
  fields.isThisSession = fields.session ~= "" and fields.session == system.session()
    and boot <= system.boot() * 1e6
  if not fields.isThisSession and wall > system.wall() * 1e6 then return {} end
  return fields
end

-- Adds a moment of the boot clock under `name`, on both clocks.
local function add_moment(fields, name, moment, system)
  fields[name .. "Boot"] = moment * 1e6
  fields[name .. "Wall"] = (moment - system.boot() + system.wall()) * 1e6
end

local function new_fields(system, keptFor)
  return {session = system.session() or "", keptFor = keptFor and keptFor * 1e6,
    writtenWall = keptFor and system.wall() * 1e6}
end

-- The moment under `name` on this process's boot clock; nil when there is none. By the wall clock's
-- word it may be any, for that may have been set in between.
local function told(fields, name, system)
  local boot, wall = tonumber(fields[name .. "Boot"]), tonumber(fields[name .. "Wall"])
  if not boot or not wall then return nil end
  if fields.writtenAt then return fields.writtenAt + (wall - fields.writtenWall) / 1e6 end
  return fields.isThisSession and boot / 1e6 or wall / 1e6 - system.wall() + system.boot()
end

-- The same, at most `ahead` seconds from now.
local function moment_of(fields, name, ahead, system)
  local moment = told(fields, name, system)
  return moment and math.min(moment, system.boot() + ahead)
end

-- The same, of what has been. When it seems to lie ahead nobody knows when it was: long ago.
local function past_moment_of(fields, name, system)
  local moment, now = told(fields, name, system), system.boot()
  if moment and moment > now + SAME then return -math.huge end
  return moment and math.min(moment, now)
end

---@class corebank.auth.Found
---@field token corebank.auth.Token
---@field lifetime number seconds that it had left when the bank gave it
---@field departed number when the request for it began, on the boot clock
---@field lastRejection number? when it or a token before it was rejected, as far as known
---@field rejections integer? how many were rejected in a row
---@field isRejected boolean whether it was itself

--- Writes a token.
---@param found corebank.auth.Found
---@param system table boot, wall, session
---@param keptFor number? seconds for which the store is to keep it
---@return string
function entry.of_token(found, system, keptFor)
  local own, fields = found.token, new_fields(system, keptFor)
  for name, value in pairs(own) do fields[name] = value end
  local bootDeadline, wallDeadline = token.deadlines(own)
  fields.accessToken = own.accessToken
  fields.lifetime = found.lifetime * 1e6
  fields.rejections, fields.isRejected = found.rejections, found.isRejected
  fields.endsBoot, fields.endsWall = bootDeadline * 1e6, wallDeadline * 1e6
  add_moment(fields, "departed", found.departed, system)
  if found.lastRejection then
    add_moment(fields, "lastRejection", found.lastRejection, system)
  end
  return write(fields)
end

--- Reads it.
---@param text string
---@param system table
---@param keptUntil number? until when the store keeps it, on the boot clock
---@return corebank.auth.Found? # nil when it is no token
function entry.to_token(text, system, keptUntil)
  local fields = read(text, system, keptUntil)
  local lifetime = (tonumber(fields.lifetime) or 0) / 1e6
  local departed = past_moment_of(fields, "departed", system)
  local ends = moment_of(fields, "ends", lifetime, system)
  if not (fields.accessToken and fields.tokenType and departed and ends) then return nil end
  local endsWall = math.min(tonumber(fields.endsWall) / 1e6, system.wall() + lifetime)
  if keptUntil then
    ends = math.min(ends, keptUntil)
    endsWall = system.wall() + ends - system.boot()
  end
  local visible = {tokenType = fields.tokenType,
    expirationTime = tonumber(fields.expirationTime),
    tokenValiditySec = tonumber(fields.tokenValiditySec)}
  return {token = token.revive(visible, fields.accessToken, ends, endsWall, system),
    lifetime = lifetime, departed = departed, rejections = tonumber(fields.rejections),
    isRejected = fields.isRejected == "true",
    lastRejection = past_moment_of(fields, "lastRejection", system)}
end

-- What of a problem is written; its body is not.
local TEXTS = {"code", "requestId", "secretFault"}
local NUMBERS = {"status", "attempts", "retryAfter"}

---@class corebank.auth.Failure
---@field problem corebank.auth.Problem
---@field at number when it was known
---@field departed number when the request began
---@field nextRefresh number no refresh in the background before that
---@field latched number? callers are kept off until then
---@field failures integer how many in a row
---@field denials integer how many of them were refusals
---@field limits integer? how many of them were a 429 that did not say how long

--- How long a failure counts, in seconds: no Retry-After lasts longer.
entry.FAILURE_KEPT = 300

-- Its moments, and how many seconds ahead each may lie at most; `at` and `departed` have been.
local MOMENTS = {at = 0, departed = 0, nextRefresh = 60, latched = entry.FAILURE_KEPT}

--- Writes a failure. All moments are on the boot clock.
---@param failure corebank.auth.Failure
---@param system table
---@return string
function entry.of_failure(failure, system)
  local fields = new_fields(system, entry.FAILURE_KEPT)
  for _, name in ipairs(TEXTS) do fields[name] = failure.problem[name] end
  for _, name in ipairs(NUMBERS) do fields[name] = failure.problem[name] end
  fields.message = problem.plain_message(failure.problem)
  fields.retryable = failure.problem.retryable
  fields.failures, fields.denials = failure.failures, failure.denials
  fields.limits = failure.limits
  for name in pairs(MOMENTS) do
    if failure[name] then add_moment(fields, name, failure[name], system) end
  end
  return write(fields)
end

--- Reads it.
---@param text string
---@param system table
---@param keptUntil number? until when the store keeps it, on the boot clock
---@return corebank.auth.Failure? # nil when it is none, or too old to count
function entry.to_failure(text, system, keptUntil)
  local fields = read(text, system, keptUntil)
  local at = past_moment_of(fields, "at", system)
  if not at or at < system.boot() - entry.FAILURE_KEPT then return nil end
  local failure = {failures = tonumber(fields.failures), denials = tonumber(fields.denials),
    limits = tonumber(fields.limits) or 0}
  for name, ahead in pairs(MOMENTS) do
    failure[name] = moment_of(fields, name, ahead, system)
  end
  if not (problem.is_code(fields.code) and fields.message and failure.failures
    and failure.denials and failure.at and failure.departed and failure.nextRefresh) then
    return nil
  end
  local details = {retryable = fields.retryable == "true", requestId = fields.requestId,
    secretFault = fields.secretFault}
  for _, name in ipairs(NUMBERS) do details[name] = tonumber(fields[name]) end
  failure.problem = problem.new(fields.code, fields.message, details)
  return failure
end

return entry
