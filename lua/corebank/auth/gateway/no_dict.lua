--- The counters of one worker, if there is no lua_shared_dict for the counters of all workers. The
-- module has the functions of a dict that metrics.lua needs.

---@class corebank.auth.gateway.NoDict
local NoDict = {}
NoDict.__index = NoDict

function NoDict:get(key) return self[key] end

function NoDict:incr(key, amount)
  if not self[key] then return nil, "not found" end
  self[key] = self[key] + amount
  return self[key]
end

function NoDict:safe_add(key, value)
  self[key] = value
  return true
end

return setmetatable({}, NoDict)
