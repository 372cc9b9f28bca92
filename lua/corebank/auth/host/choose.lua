--- Chooses the host: nginx when this Lua runs inside nginx, else the blocking host.
--
-- Inside nginx the host is chosen when a client or a call is made, not when the module is loaded: a
-- master process may load the module before there are workers.

local blocking = require "corebank.auth.host.blocking"

local ngx = rawget(_G, "ngx")
if type(ngx) ~= "table" or not ngx.timer then
  return function() return blocking end
end

---@return table? host
---@return string? mistake why no client can be made in this phase
return function()
  local nginx = require "corebank.auth.host.nginx"
  local mistake = nginx.objection()
  if mistake then return nil, mistake end
  return nginx
end
