--- Makes a token from the bank's reply: with the bank's own field names, and with its end.

---@class corebank.auth.Token
---@field accessToken string RFC 6750 b64token; not shown by pairs or tostring
---@field tokenType string always "Bearer"
---@field expirationTime integer? epoch time as the bank gave it, in its own unit
---@field tokenValiditySec integer? validity as the bank gave it, in seconds
local Token = {}

local DAY = 86400
local LONGEST = 7 * DAY     -- a longer lifetime is a mistake on the other side
local MILLISECONDS = 1e11   -- as seconds this would be the year 5138
local SECOND = 1            -- what a Date leaves open

-- What a dump of a token must not show is in a table that only its metatable knows. Methods get it
-- by a key that nobody else has.
local HIDDEN = {}
local methods = {__index = Token}

--- Seconds until the token ends, never negative. The earlier of two clocks decides: the boot clock,
-- which nobody can set, and the wall clock, which knows of time that the boot clock missed.
---@return number
function Token:remaining()
  local own = self[HIDDEN]
  return math.max(0, math.min(own.bootDeadline - own.clock.boot(),
    own.wallDeadline - own.clock.wall()))
end

--- Whether no more than `leeway` seconds are left.
---@param leeway number? seconds, default 0
---@return boolean
function Token:expired(leeway)
  return self:remaining() <= (leeway or 0)
end

--- When the token ends, in epoch seconds by the local clock.
---@return number
function Token:expiresAt()
  return self[HIDDEN].wallDeadline
end

--- The value of an Authorization header.
---@return string # "Bearer …"
function Token:header()
  local own = self[HIDDEN]
  own.headerValue = own.headerValue or "Bearer " .. own.accessToken
  return own.headerValue
end

local function describe(self)
  return ("%s token, %d s left"):format(self.tokenType, math.floor(self:remaining()))
end

local token = {}

--- An expirationTime in epoch seconds; the bank does not state its unit.
---@param expirationTime number
---@return number
function token.epoch(expirationTime)
  return expirationTime >= MILLISECONDS and expirationTime / 1000 or expirationTime
end

-- Seconds from sending the request until `ends`, in epoch seconds. Two clocks can tell: ours, which
-- showed `sentWall` then, and the bank's, which showed `date` at some moment of the `took` seconds
-- since. When the token ends must be no guess: the bank's clock was at the end of that second, and
-- the request had just been sent; the smaller of the two counts that is above zero, if one is.
local function until_end(ends, sentWall, date, took, seconds)
  local byOurs = ends - sentWall
  if not date then return byOurs end
  local byTheirs = ends - (date + SECOND)
  -- If that is the same end as the validity's, as far as a Date can tell, our clock only counts
  -- within what it leaves open.
  if seconds and byTheirs <= seconds and seconds <= byTheirs + SECOND + took then
    return math.max(byOurs, byTheirs)
  end
  if byOurs > 0 and (byOurs < byTheirs or byTheirs <= 0) then return byOurs end
  return byTheirs
end

-- How long the token is valid, counted from when the request was sent. A validity needs no clock:
-- an end can shorten it, but not to nothing.
local function lifetime(expirationTime, seconds, sentWall, date, took)
  local untilEnd = expirationTime and expirationTime > 0
    and until_end(token.epoch(expirationTime), sentWall, date, took, seconds)
  local life = seconds or untilEnd or 0
  if untilEnd and untilEnd > 0 and untilEnd < life then life = untilEnd end
  return math.min(life, LONGEST)
end

-- A token that `fields` become.
local function new(fields, accessToken, bootDeadline, wallDeadline, clock)
  local own = {accessToken = accessToken, bootDeadline = bootDeadline,
    wallDeadline = wallDeadline, clock = clock}
  own[HIDDEN] = own
  return setmetatable(fields, {__index = setmetatable(own, methods), __tostring = describe,
    __metatable = false})
end

--- The token of a reply. After `clock` come the values of transfer:reply(), in its order.
---@param clock table boot() and wall()
---@param accessToken string
---@param sentBoot number just before the request was sent, on the boot clock
---@param sentWall number the same moment on the wall clock
---@param date number? the answer's Date header, epoch seconds
---@param expirationTime integer? as the bank gave it
---@param tokenValiditySec integer? likewise
---@return corebank.auth.Token? # nil when it had already expired on arrival
function token.of_reply(clock, accessToken, sentBoot, sentWall, date, expirationTime,
  tokenValiditySec)
  local boot, wall = clock.boot(), clock.wall()
  local life = lifetime(expirationTime, tokenValiditySec, sentWall, date, boot - sentBoot)
  if sentBoot + life <= boot or sentWall + life <= wall then return nil end
  return new({tokenType = "Bearer", expirationTime = expirationTime,
    tokenValiditySec = tokenValiditySec}, accessToken, sentBoot + life, sentWall + life, clock)
end

--- Makes a token of what a store kept of one.
---@param fields table tokenType, expirationTime, tokenValiditySec; becomes the token
---@param accessToken string
---@param bootDeadline number when it ends, on the boot clock
---@param wallDeadline number the same on the wall clock
---@param clock table boot() and wall()
---@return corebank.auth.Token
token.revive = new

--- When a token ends, on both clocks.
---@param self corebank.auth.Token
---@return number bootDeadline
---@return number wallDeadline
function token.deadlines(self)
  local own = self[HIDDEN]
  return own.bootDeadline, own.wallDeadline
end

return token
