-- The reference pages have what the code has: functions, methods, events, limits, the gateway's
-- own options.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local pages = require "spec.support.pages"

local content, lines_of = files.content, files.lines_of

-- All Lua files of a room, or C files, as one text.
local function source(pattern)
  local texts = {}
  for _, path in ipairs(lines_of("ls " .. pattern)) do texts[#texts + 1] = content(path) end
  return table.concat(texts, "\n")
end

describe("docs/api.md", function()
  local page = content "docs/api.md"

  it("has every function of corebank.auth", function()
    for name, value in pairs(auth) do
      assert.is_truthy(page:find("`auth." .. name, 1, true), name)
      for inner in pairs(type(value) == "table" and value or {}) do
        assert.is_truthy(page:find(name .. "." .. inner .. "(", 1, true)
          or page:find("`." .. inner .. "{", 1, true) or page:find("`." .. inner .. "(", 1, true),
          name .. "." .. inner)
      end
    end
  end)

  it("has every method of a client, a token and a problem", function()
    local objects = {Client = "bank", Token = "token", Problem = "problem"}
    local count = 0
    local text = source "lua/corebank/auth/client/*.lua lua/corebank/auth/exchange/*.lua"
    for class, method in text:gmatch "\nfunction (%u%l+):(%l[%w]*)%(" do
      local object = objects[class]
      if object then
        count = count + 1
        assert.is_truthy(page:find(("`%s:%s("):format(object, method), 1, true),
          ("%s:%s is not there"):format(object, method))
      end
    end
    assert.is_true(count >= 12)
  end)

  it("has every event", function()
    local rows = pages.section("docs/api.md", "Events")
    local text = source "lua/corebank/auth/client/*.lua lua/corebank/auth/exchange/*.lua"
    local count = 0
    for name in text:gmatch '%f[%w]tell%([^"\n]*"([%l_]+)"' do
      count = count + 1
      assert.is_truthy(rows:find("`" .. name .. "`", 1, true), name)
    end
    assert.is_true(count >= 4)
  end)
end)

describe("docs/gateway.md", function()
  local page = content "docs/gateway.md"

  it("has every function of corebank.auth.nginx", function()
    local count = 0
    for name in content("lua/corebank/auth/nginx.lua"):gmatch "\n%l* ?gateway%.([%w_]+)" do
      count = count + 1
      assert.is_truthy(page:find("\n| `" .. name .. "[({]"), name)
    end
    assert.equal(9, count)
  end)

  it("has every option of setup that is its own, and no other", function()
    local described = pages.rows(page:match "\n(| option of `setup`.-)\n\n")
    local text = source "lua/corebank/auth/gateway/options.lua"
    pages.has_exactly(described, text:gmatch '\n  {name = "(%w+)"')
  end)
end)

describe("docs/plugins.md", function()
  it("has every option that only the plugins have, with its default", function()
    local fields = require "corebank.auth.gateway.fields"
    local known = {}
    for _, option in ipairs(require "corebank.auth.options.list") do known[option.name] = true end
    local described = pages.rows(content("docs/plugins.md"):match "\n(| option of a plugin.-)\n\n")
    local names = {}
    for _, field in ipairs(fields.list) do
      if not known[field.name] then names[#names + 1] = field.name end
    end
    local i = 0
    pages.has_exactly(described, function() i = i + 1 return names[i] end)
    for _, field in ipairs(fields.list) do
      local default = type(field.default) == "table" and "[401]" or field.default
      if described[field.name] and default then
        assert.equal("`" .. default .. "`", described[field.name][1])
      end
    end
  end)
end)

describe("docs/options.md", function()
  -- The row's beginning, a constant, where that is, and what is taken off it.
  local LIMITS = {
    {"client id, client secret", "MOST_CHARACTERS", "lua/corebank/auth/options/*.lua"},
    {"any secret object", "CBA_SECRET_MAX_BYTES", "csrc/secret/*.h"},
    {"URL, redirect target", "CBA_URL_MAX", "csrc/http/*.h", 1},
    {"URL, redirect target", "CBA_LOCATION_MAX", "csrc/http/*.h", 1},
    {"request headers of your own", "MOST_HEADERS", "lua/corebank/auth/options/*.lua"},
    {"request headers of your own", "CBA_LINES_MAX", "csrc/lua/*.h"},
    {"a path, URL or pin list in an option", "LONGEST_TEXT", "lua/corebank/auth/options/*.lua"},
    {"JSON nesting", "CBA_JSON_DEPTH_MAX", "csrc/json/*.h"},
    {"nesting in `auth.json`", "CBA_JSON_VALUE_DEPTH_MAX", "csrc/json/*.h"},
    {"redirects in one try", "MOST_REDIRECTS", "lua/corebank/auth/exchange/*.lua"},
    {"`attempts`", "MOST_ATTEMPTS", "lua/corebank/auth/options/*.lua"},
    {"`timeout`, `connectTimeout`", "LONGEST_TIMEOUT", "lua/corebank/auth/options/*.lua"},
    {"pause between tries", "LONGEST_PAUSE", "lua/corebank/auth/exchange/*.lua"},
    {"`Retry-After`", "LONGEST_RETRY_AFTER", "lua/corebank/auth/exchange/*.lua"},
    {"`problem.requestId`", "CBA_REQUEST_ID_MAX", "csrc/http/*.h"},
    {"idle connection", "IDLE_CONNECTION_SECONDS", "csrc/http/*.c"},
    {"idle connections", "CONNECTIONS_KEPT", "csrc/http/*.c"},
    {"`parallel` of", "MOST_PARALLEL", "lua/corebank/auth/client/*.lua"},
    {"background fetches", "MOST_FETCHES", "lua/corebank/auth/gateway/*.lua"},
    {"name of a gateway's bank", "LONGEST_NAME", "lua/corebank/auth/gateway/*.lua"},
    {"text to be [sealed]", "CBA_SEAL_MAX_TEXT", "csrc/secret/*.h"},
    {"path of the file store's folder", "LONGEST_PATH", "lua/corebank/auth/store/*.lua"},
  }

  it("has the limits that the code has", function()
    local text = pages.section("docs/options.md", "Limits")
    for _, limit in ipairs(LIMITS) do
      local row, constant, where, less = limit[1], limit[2], limit[3], limit[4] or 0
      local number = source(where):match("%f[%w_]" .. constant .. " = (%d+)")
      assert(number, constant .. " is not in " .. where)
      local start = text:find("\n| " .. row, 1, true)
      assert(start, "no row: " .. row)
      local cell = text:match("^\n|[^|]*| ([^|]*)|", start):gsub("(%d),(%d)", "%1%2")
      assert.is_truthy((" " .. cell):find("%f[%d]" .. tonumber(number) - less .. "%f[%D]"),
        ("%s is %d in the code, and on the page: %s"):format(row, number - less, cell))
    end
  end)
end)

describe("README", function()
  it("has at most 250 lines", function()
    assert.is_true(select(2, content("README.md"):gsub("\n", "")) <= 250)
  end)

  it("names the packages that CMake names", function()
    local install = content "docs/install.md"
    for call in content("csrc/dependencies.cmake"):gmatch "\ncba_find%(([^)]+)%)" do
      local words = {}
      for word in call:gmatch "%S+" do words[#words + 1] = word end
      for i, system in ipairs{"Debian", "Alpine", "Fedora", "Homebrew"} do
        local package = words[4 + i]
        local row = install:match("\n| " .. system .. "[^\n]*")
        assert.is_truthy(package:find "%$" or (row .. " "):find(package, 1, true), package)
      end
    end
  end)
end)
