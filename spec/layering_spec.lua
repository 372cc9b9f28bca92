-- The rules of the tree: who may include what, who may mention nginx.

local files = require "spec.files"
local content, list = files.content, files.lines_of

-- The files that match `pattern`, as one string to compare.
local function matching(paths, pattern)
  local found = {}
  for _, path in ipairs(paths) do
    if content(path):find(pattern) then found[#found + 1] = path:match("[^/]+$") end
  end
  table.sort(found)
  return table.concat(found, " ")
end

local c_files = list("ls csrc/*.c csrc/*.h")
local lua_files = list("find lua -name '*.lua'")

describe("csrc", function()
  it("includes lua.h only in bindings", function()
    for _, path in ipairs(c_files) do
      local name = path:match("[^/]+$")
      local binding = name:find("^lua_") or name == "core.c"
      local uses = content(path):find('#include [<"]lua') or content(path):find("#include <lauxlib")
      assert.is_truthy(binding or not uses, path)
    end
  end)

  it("includes each library in its own files", function()
    assert.equal("json.c", matching(c_files, "#include <cjson/"))
    assert.equal("seal.c secret.c", matching(c_files, "#include <sodium"))
    assert.equal("answer.c client_certificate.c inspect.c libcurl.c outcome.c request.c sockets.h "
      .. "transfer.c url.c", matching(c_files, "#include <curl/"))
  end)

  it("tests the Lua version in one file", function()
    assert.equal("lua_compat.h", matching(c_files, "#if.*LUA_VERSION_NUM"))
  end)

  it("asks no locale what a letter or a digit is", function()
    assert.equal("", matching(c_files, "%f[%w]str%a*casecmp"))
    assert.equal("", matching(c_files, "#include <ctype.h>"))
  end)

  it("never cleans libcurl up, for it may not be ours alone", function()
    assert.equal("", matching(c_files, "curl_global_cleanup"))
  end)

  it("exports the module's entry and nothing else", function()
    for _, library in ipairs{"core.so", "libcore.so"} do
      local exported = list("nm -D --defined-only build/" .. os.getenv("CBA_BUILD")
        .. "/corebank/auth/" .. library
        .. " | awk '{print $3}' | grep -v '^__[a-z]*san\\|^_*[a-z]*asan'")
      assert.same({"luaopen_corebank_auth_core"}, exported, library)
    end
  end)
end)

describe("lua", function()
  it("mentions ngx only in the files for nginx", function()
    -- host/choose.lua asks whether there is an nginx at all.
    local allowed = {["nginx.lua"] = true, ["host/nginx.lua"] = true, ["host/choose.lua"] = true,
      ["store/shdict.lua"] = true}
    for _, path in ipairs(lua_files) do
      local name = path:match("corebank/auth/(.*)")
      if not allowed[name] and not (name and name:find "^gateway/") then
        assert.is_nil(content(path):find("%f[%w]ngx%f[%W]"), path)
      end
    end
  end)

  it("requires downwards only", function()
    local layers = {
      "core flight headers",
      "host_name",
      "check suggest",
      "problem secret token system metrics store.memory store.file store.shdict",
      "options exchange host.blocking host.nginx latch entry",
      "keeping shared alike host.choose",
      "explain fetching remember",
      "client",
      "many",
      "auth",
      "cli.flags cli.exits cli.calendar cli.formats cli.header_lines",
      "cli.plain cli.wording",
      "cli.explanation cli.given cli.completion cli.help cli.program",
      "cli.arguments cli.checks_here cli.checks_there",
      "cli.doctor",
      "cli",
      "gateway.notes gateway.variable",
      "gateway.banks",
      "gateway.pulse",
      "gateway.request",
      "gateway.answers",
      "nginx",
    }
    local rank = {}
    for i, layer in ipairs(layers) do
      for name in layer:gmatch("%S+") do rank["corebank.auth." .. name] = i end
    end
    rank["corebank.auth"] = rank["corebank.auth.auth"]
    for _, path in ipairs(lua_files) do
      local own = rank[(path:match("^lua/(.*)%.lua$"):gsub("/", "."))]
      for name in content(path):gmatch('require "(corebank%.auth[%w.]*)"') do
        local other = rank[name]
        assert.is_true(own ~= nil and other ~= nil and other < own, path .. " requires " .. name)
      end
    end
  end)
end)
