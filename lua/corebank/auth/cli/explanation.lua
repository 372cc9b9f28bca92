--- What a client knows of its token, in lines for a person.

local wording = require "corebank.auth.cli.wording"

local function moment(seconds)
  return os.date("%Y-%m-%d %H:%M:%S", math.floor(seconds))
end

local function whole(seconds)
  return ("%d s"):format(math.floor(seconds))
end

-- Why there is this token, or none.
local function token_line(told)
  if not told.remaining then return "none; the next one comes from the bank" end
  return ("%s, %s left, until %s"):format(told.state, whole(told.remaining),
    moment(os.time() + told.remaining))
end

---@param told corebank.auth.Explanation
---@param store corebank.auth.Store? the store of this client
---@return string
return function(told, store)
  local lines = {}
  local function add(name, text)
    if text then lines[#lines + 1] = ("%-9s %s\n"):format(name, text) end
  end
  add("bank", told.client)
  add("store", store and store.name .. (store.dir and " in " .. store.dir or "") or "none")
  add("token", token_line(told))
  add("refresh", told.refreshIn and (told.refreshIn > 0 and "in " .. whole(told.refreshIn)
    or "at the next call"))
  local problem = told.problem
    and ("%s (%s)"):format(wording.spoken(told.problem), moment(told.problemAt))
  add("problem", problem or "none")
  add("pause", told.latchedFor and "the bank is not asked for " .. whole(told.latchedFor))
  return table.concat(lines)
end
