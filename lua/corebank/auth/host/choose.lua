--- Who waits for this Lua: nginx, when it runs inside one, else the process itself.
--
-- Inside an nginx it is asked when something is made and not when the module is loaded: a master
-- may load it for workers it does not have yet.

local blocking = require "corebank.auth.host.blocking"

local ngx = rawget(_G, "ngx")
if type(ngx) ~= "table" or not ngx.timer then
  return function() return blocking end
end

---@return table? host
---@return string? mistake why nothing can be made here
return function()
  local nginx = require "corebank.auth.host.nginx"
  local mistake = nginx.objection()
  if mistake then return nil, mistake end
  return nginx
end
