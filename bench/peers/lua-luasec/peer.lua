local here = ...

return {{
  title = "Lua 5.4 LuaSec", kind = "Lua",
  environment = here.lua_path(";;"),
  version = {"lua5.4", "-e",
    "require 'ssl.https' require 'cjson' print('LuaSec ' .. require 'ssl'._VERSION)"},
  program = {"lua5.4", here.folder .. "/luasec.lua"},
  modes = "start once warm memory",
  note = "connects each time; looks at no host name in the certificate; writes a request in three "
    .. "parts, and waits in between",
}}
