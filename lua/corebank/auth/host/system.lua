--- The functions of the core that a client uses. `before`, which every request calls, is called in
-- the way that is fastest on this Lua. `session`, the name of the system's start, is read once.

local core = require "corebank.auth.core"

-- LuaJIT compiles calls through its FFI, and does not compile calls of C functions that take a Lua
-- state. If its compiler is off, or there is no FFI, a call of the C function is faster.
local function fastest_before()
  if type(jit) ~= "table" or not jit.status() then return core.before end
  local ok, ffi = pcall(require, "ffi")
  if not ok then return core.before end
  return ffi.cast("bool (*)(double, double)", core.before_address())
end

local system = {}
for name, value in pairs(core) do system[name] = value end
system.before = fastest_before()

local session

-- Each read of a store needs the name, which is in a file. It is kept, because it stays the same as
-- long as the process runs. A failure is not kept: there may be a free file descriptor later.
function system.session()
  session = session or core.session()
  return session
end

return system
