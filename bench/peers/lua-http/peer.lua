local here = ...

return {{
  title = "LuaJIT lua-http", kind = "Lua",
  environment = here.lua_path(";;"),
  version = {"luajit", "-e",
    "require 'http.client' require 'cjson' print('lua-http ' .. require 'http.version'.version)"},
  program = {"luajit", here.folder .. "/http.lua"},
  modes = "start once warm memory",
}}
