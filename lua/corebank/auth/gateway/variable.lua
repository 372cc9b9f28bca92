--- The nginx variable that carries the token.
--
-- `set $bank_token "";` gives each request an empty one. Where that line is missing, and another
-- location has it, nginx makes up an empty value as well, and ngx.var does not tell the two apart.
-- But what nginx makes up is always the same piece of memory.

local base = require "resty.core.base"
local ffi = require "ffi"

local ngx = ngx

local variable = {}

-- A name is declared once in a Lua state, though this module may be loaded again.
pcall(ffi.cdef, [[
  typedef struct { unsigned flags; unsigned char *data; } corebank_variable_value;
  corebank_variable_value ngx_http_variable_null_value;
]])

local has_nothing, nothing = pcall(function()
  return ffi.C.ngx_http_variable_null_value.data
end)

local value, size, message = ffi.new "char *[1]", ffi.new "size_t[1]", ffi.new "char *[1]"

--- A variable's value in this request; nil when it was not set.
---@param name string
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
