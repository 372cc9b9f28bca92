rockspec_format = "3.0"
package = "kong-plugin-corebank-auth"
version = "scm-1"

-- For `luarocks make` in a checkout, which takes what lies there.
source = { url = "git+file://." }

description = {
  summary = "A plugin for Kong: adds a bank's access token to what Kong proxies",
  license = "MIT",
  labels = { "kong", "kong-plugin", "authentication", "banking" },
}

dependencies = { "lua >= 5.1, < 5.2", "corebank-auth" }

build = {
  type = "builtin",
  modules = {
    ["kong.plugins.corebank-auth.handler"] = "lua/kong/plugins/corebank-auth/handler.lua",
    ["kong.plugins.corebank-auth.schema"] = "lua/kong/plugins/corebank-auth/schema.lua",
  },
}
