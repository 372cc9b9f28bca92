--- Calls a store, or what a store calls, as pcall does. What is not the store's fault is raised:
-- out of memory, and Ctrl-C, as lua raises it.

local function judge(ok, raised, ...)
  if not ok and (raised == "not enough memory"
    or type(raised) == "string" and raised:find "interrupted!$") then
    error(raised, 0)
  end
  return ok, raised, ...
end

---@param call function
---@return boolean ok
---@return any ... what it returned, or raised
return function(call, ...)
  return judge(pcall(call, ...))
end
