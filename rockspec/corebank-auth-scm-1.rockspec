rockspec_format = "3.0"
package = "corebank-auth"
version = "scm-1"

-- For `luarocks make` in a checkout, which takes what lies there.
source = { url = "git+file://." }

description = {
  summary = "Gets, keeps and injects the access token of a core-banking API",
  detailed = [[
    One call authenticates with a client id and secret and returns an access token that knows when
    it ends. A C core does the HTTP (libcurl), the JSON (cJSON) and the secrets (libsodium); all
    policy is in Lua. For Lua 5.1 to 5.5 and LuaJIT.]],
  license = "MIT",
  labels = { "authentication", "banking", "http" },
}

dependencies = { "lua >= 5.1, < 5.6", "argparse >= 0.7" }

-- No external_dependencies: LuaRocks does not look where Debian keeps its libraries. CMake does,
-- and says what to install when one is missing.
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_C_FLAGS = "$(CFLAGS)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    CBA_LUADIR = "$(LUADIR)",
    CBA_LIBDIR = "$(LIBDIR)",
    CBA_KONG = "OFF",               -- lua/kong/ has a rockspec for it
    CBA_MANDIR = "$(PREFIX)/man",   -- in the rock's own folder: LuaRocks has none for man pages
  },
  install = { bin = { "bin/corebank-auth" } },
}
