-- This library in an nginx worker, where many callers can wait at once.
local here = ...

return {{
  title = "corebank-auth, nginx", kind = "ours",
  version = {"nginx", "-v"},
  program = {"lua5.4", here.folder .. "/nginx.lua"},
  modes = "cold",
}}
