--- A token reply becomes a token: its fields under the bank's own names, and when it ends.

---@class corebank.auth.Token
---@field accessToken string RFC 6750 b64token; not shown by pairs or tostring
---@field tokenType string always "Bearer"
---@field expirationTime integer? epoch time as the bank gave it, in its own unit
---@field tokenValiditySec integer? validity as the bank gave it, in seconds
local Token = {}

local DAY = 86400
local LONGEST = 7 * DAY     -- a longer lifetime is a mistake on the other side
local MILLISECONDS = 1e11   -- as seconds this would be the year 5138
local SANE_SKEW = DAY       -- a Date header further off than this is not a clock

-- What a dump of a token must not show is in a table that only its metatable knows. Methods get it
-- by a key that nobody else has.
local HIDDEN = {}
local methods = {__index = Token}

--- Seconds until the token ends, never negative. The earlier of two clocks decides: the boot clock,
-- which nobody can set, and the wall clock, which knows of time that the boot clock missed.
---@return number
function Token:remaining()
  local own = self[HIDDEN]
  local left = own.bootDeadline - own.clock.boot()
  local leftByWall = own.wallDeadline - own.clock.wall()
  if leftByWall < left then left = leftByWall end
  return left > 0 and left or 0
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

-- How long the token is valid, counted from when the request was sent: `took` seconds before now,
-- which is `wall`, and `answered` seconds before the answer, which is of the bank's `date`. `ends`
-- and `seconds` are what the bank says, if anything.
local function lifetime(ends, seconds, wall, took, date, answered)
  if not seconds or seconds > LONGEST then seconds = LONGEST end
  if ends then
    if ends >= MILLISECONDS then ends = ends / 1000 end
    -- On the bank's clock where it shows one, for ours may be off by minutes. Date is the moment of
    -- the answer, not of the request, nor of now.
    local now = wall
    if date and date - wall <= SANE_SKEW and wall - date <= SANE_SKEW then
      now, took = date, answered
    end
    if took + ends - now < seconds then seconds = took + ends - now end
  end
  return seconds
end

local token = {}

-- A token that `fields` become, and what it hides, which is to be filled in.
local function hide(fields, clock)
  local own = {accessToken = false, bootDeadline = 0, wallDeadline = 0, clock = clock,
    [HIDDEN] = false}
  own[HIDDEN] = own
  return setmetatable(fields, {__index = setmetatable(own, methods), __tostring = describe,
    __metatable = false}), own
end

--- A token for a reply that is still to come: it is to be filled in, once.
---@param clock table boot() and wall()
---@return corebank.auth.Token
---@return table hidden for `complete`
function token.prepare(clock)
  return hide({tokenType = "Bearer", expirationTime = false, tokenValiditySec = false}, clock)
end

--- Fills one in.
---@param self corebank.auth.Token what prepare made
---@param own table what it hides, from prepare too
---@param expirationTime integer? as the bank gave it
---@param tokenValiditySec integer? likewise
---@param accessToken string
---@param sent number when the request was sent, on the boot clock
---@param date number? the answer's Date header, epoch seconds
---@param answered number seconds from sending the request until the answer began
---@return corebank.auth.Token? # nil when it had already expired on arrival
function token.complete(self, own, expirationTime, tokenValiditySec, accessToken, sent, date,
  answered)
  local boot, wall = own.clock.boot(), own.clock.wall()
  local ends = sent + lifetime(expirationTime, tokenValiditySec, wall, boot - sent, date,
    answered)
  if ends <= boot then return nil end
  self.expirationTime, self.tokenValiditySec = expirationTime, tokenValiditySec
  own.accessToken, own.bootDeadline, own.wallDeadline = accessToken, ends, wall + (ends - boot)
  return self
end

--- Makes a token of what a store kept of one.
---@param fields table tokenType, expirationTime, tokenValiditySec; becomes the token
---@param accessToken string
---@param bootDeadline number when it ends, on the boot clock
---@param wallDeadline number the same on the wall clock
---@param clock table boot() and wall()
---@return corebank.auth.Token
function token.revive(fields, accessToken, bootDeadline, wallDeadline, clock)
  local revived, own = hide(fields, clock)
  own.accessToken, own.bootDeadline, own.wallDeadline = accessToken, bootDeadline, wallDeadline
  return revived
end

--- When a token ends, on both clocks.
---@param self corebank.auth.Token
---@return number bootDeadline
---@return number wallDeadline
function token.deadlines(self)
  local own = self[HIDDEN]
  return own.bootDeadline, own.wallDeadline
end

return token
