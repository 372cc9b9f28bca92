--- Stops requests to the bank for a while, after a denial and during a Retry-After. The reason:
-- banks lock accounts after many failed attempts.

local problem = require "corebank.auth.exchange.problem"
local secret = require "corebank.auth.options.secret"

local FIRST_REFUSED = 5   -- seconds
local FIRST_LIMITED = 1   -- of a 429 that does not say how long, or says 0
local LONGEST = 60

---@class corebank.auth.Latch
---@field denials integer how many refusals there were in a row
---@field limits integer how many 429 that did not say how long
---@field ends number? until when, on the boot clock
local Latch = {}
Latch.__index = Latch

-- The client's secret, which a change of opens the latch; out of a dump's sight.
local secret_of = setmetatable({}, {__mode = "k"})

-- Keeps callers off until `ends`, unless they are for longer.
local function close_until(self, trouble, ends)
  if self.ends and self.ends >= ends then return end
  self.problem, self.ends = trouble, ends
  self.changes = secret.changes
end

-- The nth in a row.
local function doubled(first, n)
  return math.min(first * 2 ^ (n - 1), LONGEST)
end

--- Takes note of a problem: keeps callers off if it asks for that.
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

--- Takes over what another process met.
---@param trouble corebank.auth.Problem
---@param ends number? until when it keeps off, on the boot clock
---@param denials integer how many there were in a row
---@param limits integer? likewise, of a 429 that did not say how long
function Latch:learn(trouble, ends, denials, limits)
  self.denials = math.max(self.denials, denials)
  self.limits = math.max(self.limits, limits or 0)
  if ends then close_until(self, trouble, ends) end
end

--- The bank said yes.
function Latch:open()
  self.problem, self.ends, self.denials, self.limits = nil, nil, 0, 0
end

--- The problem that callers get while they are kept off; nil when they are not. A refusal is
-- forgotten when the secret has been changed since.
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
