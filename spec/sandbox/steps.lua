--- Scripts of the sandbox: lists of steps that specs register for a scenario, one step for each
-- request. The last one serves all later requests. bank.lua and api.lua say what is in a step.

local cjson = require "cjson.safe"

local steps = {}
local shared = ngx.shared.bank

--- Replaces the script of that kind, and begins with its first step.
---@param kind "bank"|"api"
function steps.register(kind, name, list)
  local key = kind .. ":" .. name
  for i, step in ipairs(list) do
    assert(shared:set("step:" .. key .. ":" .. i, cjson.encode(step)))
  end
  shared:set("steps:" .. key, #list)
  shared:delete("taken:" .. key)
end

--- The step for the next request, nil when there is no script.
function steps.next(kind, name)
  local key = kind .. ":" .. name
  local count = shared:get("steps:" .. key) or 0
  if count == 0 then
    return nil
  end
  local n = shared:incr("taken:" .. key, 1, 0)
  return cjson.decode(shared:get("step:" .. key .. ":" .. math.min(n, count)))
end

--- Sets the headers of a step's answer: name -> value or list of values.
function steps.send_headers(step)
  for field, value in pairs(step.headers or {}) do
    ngx.header[field] = value
  end
end

return steps
