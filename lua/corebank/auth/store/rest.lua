--- How long a store on another machine is not asked after it has failed: a stopped server must not
-- cost each request a timeout. After the pause, one caller at a time asks it again.

local FIRST, LONGEST = 1, 30   -- seconds
local JITTER = 0.5             -- of a pause, at most, by which the pause is shorter

---@class corebank.auth.Rest
local Rest = {}
Rest.__index = Rest

--- Whether the store may be asked. Other callers get false until this one reports the outcome.
---@return boolean
function Rest:may_ask()
  local now = self.clock()
  if now < self.ends then return false end
  if self.failures > 0 then self.ends = now + LONGEST end
  return true
end

function Rest:succeeded()
  self.failures, self.ends, self.fault = 0, -math.huge, nil
end

--- The store failed.
---@param began number when the store was asked: calls in parallel with one fault count as one
---@param fault string
---@return string? fault nil when it was reported before, and the store has not worked since
function Rest:failed(began, fault)
  local now, told = self.clock(), self.fault
  self.fault = fault
  if began > self.failedAt then
    self.failedAt, self.failures = now, self.failures + 1
    local seconds = math.min(FIRST * 2 ^ (self.failures - 1), LONGEST)
    self.ends = now + seconds * (1 - JITTER * self.random())
  end
  return fault ~= told and fault or nil
end

local rest = {}

---@param clock fun(): number seconds
---@param random fun(): number from 0 to 1
---@return corebank.auth.Rest
function rest.new(clock, random)
  return setmetatable({clock = clock, random = random, failures = 0, ends = -math.huge,
    failedAt = -math.huge}, Rest)
end

return rest
