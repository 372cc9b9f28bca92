--- The nginx variable that carries the token.
--
-- `set $bank_token "";` sets the variable to "" for each request. If only another location has this
-- line, nginx reads the variable as "" here, too, and ngx.var does not show the difference. But the
-- value of a variable that was not set always points to the same memory.

local base = require "resty.core.base"
local ffi = require "ffi"

local ngx = ngx

local variable = {}

-- A C name can be declared only once in a Lua state, and this module may be loaded again.
pcall(ffi.cdef, [[
  typedef struct { unsigned flags; unsigned char *data; } corebank_variable_value;
  corebank_variable_value ngx_http_variable_null_value;
]])

local has_nothing, nothing = pcall(function()
  return ffi.C.ngx_http_variable_null_value.data
end)

local value, size, message = ffi.new "char *[1]", ffi.new "size_t[1]", ffi.new "char *[1]"

--- The variable's value in this request; nil when it was not set.
---@return string?
function variable.get(name)
  if not has_nothing then return ngx.var[name] end
  local length = #name
  local code = ffi.C.ngx_http_lua_ffi_var_get(base.get_request(), name, length,
    base.get_string_buf(length), 0, value, size, message)
  if code ~= 0 or value[0] == nothing then return nil end
  return ffi.string(value[0], size[0])
end

return variable
