-- This library, under Lua 5.4 and LuaJIT. `once` is the example in examples/.
local here = ...

local function ours(title, lua)
  local environment = here.lua_path ""
  table.insert(environment, ("LUA_CPATH=%s/../%s-bench/?.so"):format(here.out, lua))
  return {
    name = lua, title = title, kind = "ours", environment = environment,
    version = {lua, "-e", "print((require 'corebank.auth').version())"},
    program = {lua, here.folder .. "/corebank.lua"},
    once = {lua, "examples/token.lua"},
    modes = "start warm turns memory kept clients many "
      .. "get-warm get-turns get-memory get-many get-into",
  }
end

local anew = ours("corebank-auth, Lua 5.4, options anew", "lua5.4")
anew.name, anew.once, anew.modes = "lua5.4-anew", nil, "warm"
anew.judgedApart = true   -- in bench/parts/warm.lua
table.insert(anew.environment, "BENCH_ANEW=1")

return {
  ours("corebank-auth, Lua 5.4", "lua5.4"), ours("corebank-auth, LuaJIT", "luajit"), anew,
}
