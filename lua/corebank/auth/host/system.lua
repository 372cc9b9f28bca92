--- The functions of the core that a client uses. The function that every request calls is called in
-- the way that is fastest on this Lua. The name of the system's start is read once.

local core = require "corebank.auth.core"

-- LuaJIT compiles a call through its FFI, and none of a C function that takes a Lua state. Where
-- the compiler is off, or somebody has taken the FFI away, the latter is the faster one.
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

-- Every look into a store asks, and the name is in a file: no process outlives the system's start.
-- A failure is not kept: there may be a descriptor to read it with later.
function system.session()
  session = session or core.session()
  return session
end

return system
