std = "min"
max_line_length = 100
include_files = {"**/*.lua", "**/*.rockspec", ".busted", "bin/*"}
exclude_files = {"build"}

-- The library runs on every Lua; `jit` tells LuaJIT from Lua 5.1.
files["lua"] = {read_globals = {"jit"}}
files["spec"] = {std = "+busted", read_globals = {"jit"}}
files["spec/sandbox/bank.lua"] = {std = "ngx_lua"}
