--- Calls a store, or a function that a store calls, as pcall does. It raises the errors that the
-- store did not cause: out of memory, and Ctrl-C as the program lua raises it.

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
