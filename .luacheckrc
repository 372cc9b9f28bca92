std = "min"
max_line_length = 100
include_files = {"**/*.lua", "**/*.rockspec", ".busted", "bin/*", "script/man"}
exclude_files = {"build"}

-- The library runs on every Lua; `jit` tells LuaJIT from Lua 5.1.
files["lua"] = {read_globals = {"jit"}}
files["spec"] = {std = "+busted", read_globals = {"jit"}}
-- What runs inside nginx.
for _, path in ipairs{"lua/corebank/auth/nginx.lua", "lua/corebank/auth/host/nginx.lua",
  "lua/corebank/auth/gateway", "lua/apisix", "lua/corebank/auth/store/shdict.lua",
  "lua/corebank/auth/store/redis_client.lua", "spec/sandbox/api.lua",
  "spec/sandbox/bank.lua", "spec/sandbox/resources.lua", "spec/sandbox/steps.lua",
  "spec/support/gateway/upstream.lua"} do
  files[path] = {std = "ngx_lua"}
end
files["lua/kong/plugins"] = {std = "ngx_lua", globals = {"kong"}}
files["**/*.rockspec"] = {std = "rockspec"}
files["spec/support/plugins"] = {std = "ngx_lua", globals = {"kong", "ngx"}}
