-- The rules of the tree: which room may use which, who may include what, who may mention nginx.

local files = require "spec.support.files"
local lfs = require "lfs"
local content, list = files.content, files.lines_of

local c_files = list("find csrc -name '*.[ch]'")
local lua_files = list("find lua -name '*.lua'")

-- The files that match `pattern`, as one string to compare.
local function matching(paths, pattern)
  local found = {}
  for _, path in ipairs(paths) do
    if content(path):find(pattern) then found[#found + 1] = path:gsub("^csrc/", "") end
  end
  table.sort(found)
  return table.concat(found, " ")
end

local function words(text)
  local set = {}
  for word in text:gmatch("%S+") do set[word] = true end
  return set
end

-- What a room may use besides itself. Arrows point down: a room uses rooms below it only.
local C_ROOMS = {
  text = words "",
  secret = words "text",
  system = words "secret text",
  json = words "secret text",
  store = words "secret system text",
  http = words "secret system text",
  lua = words "http json secret store system text",
}

local LUA_ROOMS = {
  options = words "core",
  exchange = words "core options",
  host = words "core",
  store = words "core",
  request = words "core options exchange",
  client = words "core options exchange request host store",
  face = words "core options exchange host store client",
  gateway = words "core options exchange host store client face",
  ["the face for nginx"] = words "core host gateway",
  plugins = words "core gateway",
  cli = words "core options exchange host store client face",
}

local FACES = {["lua/corebank/auth.lua"] = "face",
  ["lua/corebank/auth/nginx.lua"] = "the face for nginx"}

-- The plugins lie where Kong and APISIX look for them.
local function lua_room(path)
  if path:find "^lua/kong/" or path:find "^lua/apisix/" then return "plugins" end
  return FACES[path] or path:match("^lua/corebank/auth/(%w+)/[%w_]+%.lua$")
end

-- A module's room; the compiled core counts as one.
local function room_of_module(name)
  if name == "corebank.auth.core" then return "core" end
  return lua_room("lua/" .. name:gsub("%.", "/") .. ".lua")
end

local ADVICE = "%s uses %s, but %s/ may use only: %s. Move what is used to a room below both, or "
  .. "pass it in as a parameter. A new room gets a line in spec/project/layering_spec.lua."

local function check_arrow(path, used, room, other, rooms)
  if room == other then return end
  local below = {}
  for name in pairs(rooms[room]) do below[#below + 1] = name end
  table.sort(below)
  assert.is_truthy(other and rooms[room][other],
    ADVICE:format(path, used, room, table.concat(below, ", ")))
end

local function check_room(path, room, rooms)
  assert.is_truthy(room and rooms[room], path .. " lies in no room: move it into the folder that "
    .. "its job belongs to, or give a new folder a line in spec/project/layering_spec.lua")
end

describe("the picture of the layers in docs/design.md", function()
  it("has each room above those that it uses", function()
    local picture = content("docs/design.md"):match "\n```text\n(.-)\n```"
    local lua_part, c_part = picture:match "^(.-)\n  ─[^\n]*(\n.*)$"

    local function check(part, rooms, names)
      local function row_of(room)
        local start = part:find("│ " .. (names[room] or room .. "/"), 1, true)
        assert(start, room .. " is not in the picture")
        return select(2, part:sub(1, start):gsub("\n", ""))
      end
      for room, used in pairs(rooms) do
        for other in pairs(used) do
          assert.is_true(row_of(room) < row_of(other), room .. " is not above " .. other)
        end
      end
    end
    check(c_part, C_ROOMS, {lua = "csrc/lua/"})
    local lua_rooms = {}
    for room, used in pairs(LUA_ROOMS) do
      lua_rooms[room] = {}
      for other in pairs(used) do lua_rooms[room][other] = other ~= "core" or nil end
    end
    lua_rooms["the face for nginx"] = nil   -- it is beside its gateway/
    check(lua_part, lua_rooms, {face = "auth.lua", gateway = "nginx.lua, gateway/",
      plugins = "kong/, apisix/"})
  end)
end)

-- csrc/lua has a file for each subject of the room below it: they need no list.
describe("a room's README.md", function()
  it("names each of its files and no other", function()
    for _, folder in ipairs(list("ls -d csrc/*/ lua/corebank/auth/*/ | grep -v csrc/lua/")) do
      local readme = content(folder .. "README.md")
      for _, name in ipairs(list("ls " .. folder .. " | grep '[.]\\(c\\|lua\\)$'")) do
        assert.is_truthy(readme:find("`" .. name .. "`", 1, true),
          folder .. "README.md does not say what " .. name .. " is for")
      end
      for name in readme:gmatch("`([%w_]+%.[cl]u?a?)`") do
        local found = lfs.attributes(folder .. name) or lfs.attributes("lua/corebank/" .. name)
        assert.is_truthy(found or lfs.attributes("lua/corebank/auth/" .. name),
          folder .. "README.md names " .. name .. ", which is not there")
      end
    end
  end)
end)

describe("csrc", function()
  it("has rooms, whose arrows point down", function()
    for _, path in ipairs(c_files) do
      local room = path:match("^csrc/(%w+)/")
      if path ~= "csrc/core.c" and path ~= "csrc/loader.c" then
        check_room(path, room, C_ROOMS)
        for included in content(path):gmatch('#include "([^"]+)"') do
          check_arrow(path, included, room, included:match("^(%w+)/"), C_ROOMS)
        end
      end
    end
  end)

  it("lists every file in its room's CMakeLists.txt", function()
    for _, path in ipairs(list("find csrc -mindepth 2 -name '*.c'")) do
      local folder, name = path:match("^(.*)/([^/]+)$")
      local listed = content(folder .. "/CMakeLists.txt")
      assert.is_truthy(listed:find("%f[%w_]" .. name:gsub("%.", "%%.")),
        ("%s is not built: add %s to %s/CMakeLists.txt"):format(path, name, folder))
    end
  end)

  it("includes lua.h only in bindings", function()
    for _, path in ipairs(c_files) do
      local binding = path:find("^csrc/lua/") or path == "csrc/core.c" or path == "csrc/loader.c"
      local uses = content(path):find('#include [<"]lua') or content(path):find("#include <lauxlib")
      assert.is_truthy(binding or not uses, path .. " includes Lua: what binds goes into csrc/lua/")
    end
  end)

  it("includes each library in its own room", function()
    for _, path in ipairs(c_files) do
      local text = content(path)
      for library, room in pairs{cjson = "json", curl = "http"} do
        assert.is_truthy(path:find("^csrc/" .. room .. "/")
          or not text:find("#include <" .. library .. "/"),
          ("%s includes %s, which only csrc/%s/ may"):format(path, library, room))
      end
      assert.is_truthy(path:find("^csrc/secret/") or not text:find("#include <sodium"),
        path .. " includes libsodium, which only csrc/secret/ may")
    end
  end)

  it("tests the Lua version in one file", function()
    assert.equal("lua/compat.h", matching(c_files, "#if.*LUA_VERSION_NUM"))
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
  it("has rooms, whose arrows point down", function()
    for _, path in ipairs(lua_files) do
      local room = lua_room(path)
      check_room(path, room, LUA_ROOMS)
      for name in content(path):gmatch('require[ (]*"(corebank%.auth[%w._]*%w)"') do
        check_arrow(path, name, room, room_of_module(name), LUA_ROOMS)
      end
    end
  end)

  it("has no two modules of a room that need each other", function()
    local needs = {}
    for _, path in ipairs(lua_files) do
      local own = path:match("^lua/(.*)%.lua$"):gsub("/", ".")
      needs[own] = {}
      for name in content(path):gmatch('require[ (]*"(corebank%.auth[%w._]*%w)"') do
        needs[own][name] = true
      end
    end
    local state = {}
    local function visit(name, way)
      assert.is_true(state[name] ~= "open", way .. " -> " .. name
        .. ": a circle. Move what both need into a module of its own, or pass it in.")
      if state[name] then return end
      state[name] = "open"
      for other in pairs(needs[name] or {}) do visit(other, way .. " -> " .. name) end
      state[name] = "done"
    end
    for name in pairs(needs) do visit(name, "") end
  end)

  it("mentions ngx only in the files for nginx", function()
    -- host/choose.lua asks whether there is an nginx at all.
    local allowed = words("nginx.lua host/nginx.lua host/choose.lua store/shdict.lua "
      .. "store/redis_client.lua")
    for _, path in ipairs(lua_files) do
      local name = path:match("corebank/auth/(.*)")
      if not allowed[name] and not (name and name:find "^gateway/")
        and lua_room(path) ~= "plugins" then
        assert.is_nil(content(path):find("%f[%w]ngx%f[%W]"), path)
      end
    end
  end)
end)
