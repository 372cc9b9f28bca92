--- Pauses between the tries of one call.

local FIRST_PAUSE = 0.25   -- seconds, doubled at each further try
local LONGEST_PAUSE = 8

local backoff = {}

--- Seconds until the next try: exponential, with full jitter.
---@param attempts integer how many tries were made
---@param random fun(): number
---@return number
function backoff.pause(attempts, random)
  return math.min(FIRST_PAUSE * 2 ^ (attempts - 1), LONGEST_PAUSE) * random()
end

--- Seconds that a Retry-After asks for, by the server's clock where it shows one; of several the
-- longest. RFC 9110, section 10.2.3.
---@param result table see transfer:result() in csrc/lua/transfer.c
---@param system table wall, as in the core
---@return number? # never negative; nil when there is none
function backoff.retry_after(result, system)
  local seconds = result.retryAfter
  if result.retryAt then
    local untilThen = result.retryAt - (result.date or system.wall())
    seconds = math.max(seconds or untilThen, untilThen)
  end
  return seconds and math.max(0, seconds)
end

return backoff
