--- Stops requests to the bank for a while, after a denial and during a Retry-After. The reason:
-- banks lock accounts after many failed attempts.

local problem = require "corebank.auth.exchange.problem"
local secret = require "corebank.auth.options.secret"

local FIRST_REFUSED = 5   -- seconds
local FIRST_LIMITED = 1   -- seconds, after a 429 without a Retry-After, or with 0
local LONGEST = 60        -- seconds

---@class corebank.auth.Latch
---@field denials integer consecutive refusals
---@field limits integer consecutive 429s without a Retry-After
---@field ends number? the end of the pause, on the boot clock
local Latch = {}
Latch.__index = Latch

-- The client's secrets. A changed secret opens the latch. They are not in fields of the latch, so
-- that a dump of the latch does not show them.
local secret_of = setmetatable({}, {__mode = "k"})

-- Sets the end of the pause, unless the pause is longer already.
local function close_until(self, trouble, ends)
  if self.ends and self.ends >= ends then return end
  self.problem, self.ends = trouble, ends
  self.changes = secret.changes
end

-- The pause after the nth failure in a row.
local function doubled(first, n)
  return math.min(first * 2 ^ (n - 1), LONGEST)
end

--- Begins a pause if the problem requires one.
---@param trouble corebank.auth.Problem
---@param now number on the boot clock
function Latch:note(trouble, now)
  local seconds = trouble.retryAfter or 0
  if problem.is_refusal(trouble) then
    self.denials = self.denials + 1
    seconds = math.max(seconds, doubled(FIRST_REFUSED, self.denials))
  elseif trouble.code == "limited" and seconds == 0 then
    self.limits = self.limits + 1
    seconds = doubled(FIRST_LIMITED, self.limits)
  end
  if seconds > 0 then close_until(self, trouble, now + seconds) end
end

--- Takes over the pause of another process.
---@param trouble corebank.auth.Problem
---@param ends number? the end of the pause, on the boot clock
---@param denials integer consecutive refusals
---@param limits integer? consecutive 429s without a Retry-After
function Latch:learn(trouble, ends, denials, limits)
  self.denials = math.max(self.denials, denials)
  self.limits = math.max(self.limits, limits or 0)
  if ends then close_until(self, trouble, ends) end
end

--- Ends the pause: the bank gave a token.
function Latch:open()
  self.problem, self.ends, self.denials, self.limits = nil, nil, 0, 0
end

--- The problem that callers get during the pause, or nil without a pause. A changed secret ends the
-- pause after a refusal.
---@param now number on the boot clock
---@return corebank.auth.Problem?
function Latch:remembered(now)
  if not self.ends or now >= self.ends then return nil end
  local fault
  if problem.is_refusal(self.problem) then
    if secret.changed_since(secret_of[self], self.changes) then return self:open() end
    fault = secret.fault(secret_of[self])
  end
  return problem.again(self.problem, {remembered = true, retryAfter = self.ends - now,
    secretFault = fault})
end

local latch = {}

---@param client_secret corebank.auth.Secret
---@return corebank.auth.Latch
function latch.new(client_secret)
  local self = setmetatable({denials = 0, limits = 0}, Latch)
  secret_of[self] = client_secret
  return self
end

return latch
