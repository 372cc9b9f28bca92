--- Makes the table that bank:explain() returns.

---@class corebank.auth.Explanation
---@field client string the bank's origin
---@field state "fresh"|"stale"|"rejected"|"expired"|"none"|"closed"
---@field source "bank"|"store"|nil where the token came from
---@field remaining number? seconds until the token ends
---@field refreshIn number? seconds until it is refreshed; 0 when it is time
---@field inFlight boolean whether a request for a new one is in flight
---@field store string? the store's name
---@field problem string? the message of the last problem
---@field problemCode corebank.auth.Code? its code
---@field problemAt number? its time, in epoch seconds
---@field failures integer failed calls to the bank since its last token
---@field latchedFor number? seconds for which the bank is not asked, because of this problem
---@field counters table<string, integer> events by name
local Explanation = {__metatable = false}

function Explanation:__tostring()
  local line = ("%s: %s"):format(self.client, self.state)
  if self.source then line = ("%s, from the %s"):format(line, self.source) end
  if self.remaining then line = ("%s, %d s left"):format(line, math.floor(self.remaining)) end
  if self.refreshIn then
    line = ("%s, refresh in %d s"):format(line, math.floor(self.refreshIn))
  end
  if self.problem then line = ("%s; last problem: %s"):format(line, self.problem) end
  return line
end

---@param client corebank.auth.Client
---@return corebank.auth.Explanation
return function(client)
  local told = {client = client.name, state = client.isClosed and "closed" or "none",
    inFlight = client:is_fetching(), store = client.shared and client.shared.store.name,
    failures = client.failures, counters = {}}
  if client.current then
    told.source, told.remaining = client.source, client.current:remaining()
    told.refreshIn = math.max(0, math.min(client.freshUntil - client.system.steady(),
      client.freshUntilWall - client.system.wall()))
    told.state = client.current:expired(client.currentLeeway) and "expired"
      or client.isRejected and "rejected" or told.refreshIn > 0 and "fresh" or "stale"
  end
  if client.lastProblem then
    told.problem, told.problemCode = client.lastProblem.message, client.lastProblem.code
    told.problemAt = client.lastProblemAt
  end
  local now, ends = client.system.boot(), client.latch.ends
  if ends and now < ends then told.latchedFor = ends - now end
  for name, count in pairs(client.counters) do told.counters[name] = count end
  return setmetatable(told, Explanation)
end
