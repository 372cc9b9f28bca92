-- What the pages say must be so: options, codes, exit statuses, scripts, files.

local auth = require "corebank.auth"
local problem = require "corebank.auth.exchange.problem"
local exits = require "corebank.auth.cli.exits"
local files = require "spec.support.files"
local flags = require "corebank.auth.cli.flags"
local options = require "corebank.auth.options.list"
local pages = require "spec.support.pages"
local sandbox = require "spec.sandbox"

local content, lines_of, quoted = files.content, files.lines_of, files.quoted
local rows = pages.rows

describe("the pages", function()
  it("names every option with its default and its environment variable, and no other", function()
    local described = rows(content("docs/options.md"):match("^(.-)\n## "))
    for _, option in ipairs(options) do
      local row = described[option.name]
      assert.is_truthy(row, option.name .. " is not in the table")
      local default = option.required and "required" or option.default
      if default ~= nil then default = tostring(default) end
      if default then assert.equal(default, (row[2]:gsub('[`"]', "")), option.name) end
      if not default then assert.is_nil(row[2]:find("^%d"), option.name) end
      local env = option.env or option.secretEnv
      env = env and "`" .. env .. "`"
      assert.is_truthy(not env or row[3]:find(env, 1, true), option.name)
      local file = option.secretFileEnv and "`" .. option.secretFileEnv .. "`"
      assert.is_truthy(not file or row[3]:find(file, 1, true), option.name)
      described[option.name] = nil
    end
    assert.is_nil(next(described))
  end)

  it("names the variable of every option", function()
    local described = rows(pages.section("docs/options.md", "Environment variables"))
    for _, option in ipairs(options) do
      for _, variable in ipairs{option.env or option.secretEnv, option.secretFileEnv} do
        local row = described[variable]
        assert.is_truthy(row and row[1]:find("`" .. option.name .. "`", 1, true), variable)
      end
    end
  end)

  it("lists every problem code, and whether it is retryable", function()
    local described = rows(pages.section("docs/api.md", "Errors"))
    local count = 0
    for code in content("lua/corebank/auth/exchange/problem.lua"):gmatch('\n%-%-%-| "([%w_]+)"') do
      count = count + 1
      assert.is_truthy(described[code], code .. " is not in the table")
      local retryable = problem.new(code, "a message").retryable
      assert.equal(retryable and "yes" or "no", described[code][2]:match("^%a+"), code)
    end
    assert.equal(15, count)
  end)

  it("names every script", function()
    local named = rows(pages.section("CONTRIBUTING.md", "Scripts"))
    for _, name in ipairs(lines_of("ls script")) do
      assert.is_truthy(named["script/" .. name], "script/" .. name)
    end
  end)

  it("names every file of the library in docs/design.md, and no other", function()
    local listed = {}
    for path in content("docs/design.md"):gmatch("\n([%w_]+/[%w_/-]+%.%w+) ") do
      listed[path] = true
    end
    local sources = "find csrc -name '*.c' -o -name '*.cmake'; find lua -name '*.lua'"
    for _, path in ipairs(lines_of(sources)) do
      assert.is_true(listed[path], path .. ' needs a row in docs/design.md, "Files by room"')
      listed[path] = nil
    end
    local gone = next(listed)
    assert.is_nil(gone, "docs/design.md lists a file that does not exist: " .. tostring(gone))
  end)

  it("names every exit status of the command, and every flag that is no option", function()
    local text = content("docs/command.md")
    for _, entry in ipairs(exits.list) do
      assert.is_truthy(text:find(("\n| %d | %s |"):format(entry[1], entry[2]), 1, true), entry[2])
    end
    for _, flag in ipairs(flags.list) do
      assert.is_truthy(flag.isOption or text:find(flag.flag, 1, true), flag.flag)
    end
    for _, name in ipairs(flags.commands) do
      assert.is_truthy(text:find("\n| `" .. name .. "` |", 1, true), name)
    end
  end)

  it("tells the version that this is", function()
    local version = '`auth.VERSION` is `"' .. auth.VERSION .. '"`'
    assert.is_truthy(content("docs/api.md"):find(version, 1, true))
    assert.is_truthy(content("CHANGELOG.md"):find("## [" .. auth.VERSION .. "]", 1, true))
  end)

  it("shows auth.version() in the form that it has", function()
    -- Versions differ from system to system, and so do the TLS library and the Lua.
    local function form(line)
      return (line:gsub("%(libcurl/%S+ %a+/[^,]+,", "(libcurl/N TLS/N,")
        :gsub("%f[%d]%d[%w.-]*", "N"):gsub("LuaJIT", "Lua"))
    end
    local shown = pages.section("docs/api.md", "Versions"):match "\n```text\n([^\n]*)\n```"
    assert.equal(form(auth.version()), form(shown))
  end)

  it("shows the gateway of examples/nginx.conf", function()
    local shown = pages.examples("README.md", "nginx")[1].code
    assert.equal(content("examples/nginx.conf"), shown .. "\n")
  end)

  it("names every metric", function()
    local described = rows(pages.section("docs/gateway.md", "Metrics"))
    local source = content("lua/corebank/auth/gateway/metrics.lua")
    pages.has_exactly(described, source:gmatch '"(corebank_auth_[%w_]+)"')
  end)
end)

describe("README's first example #transfer", function()
  local bank = sandbox.bank()
  local first = pages.examples("README.md", "lua")[1].code

  -- Runs it as a user would, in a process of its own; what it prints and its exit status.
  local function run(secret)
    local path = os.tmpname()
    files.write(path, first .. "\n")
    local command = ("COREBANK_BASE_URL=%s COREBANK_CLIENT_ID=%s COREBANK_CLIENT_SECRET=%s "
      .. "COREBANK_CA_FILE=%s %s %s 2>&1; echo $?"):format(quoted(bank.url), quoted(bank.clientId),
      quoted(secret), quoted(bank.caFile), os.getenv("CBA_LUA"), quoted(path))
    local output = table.concat(lines_of(command), "\n")
    os.remove(path)
    return output
  end

  it("has eight lines", function()
    assert.equal(8, select(2, (first .. "\n"):gsub("\n", "")))
  end)

  it("prints a token, redacted", function()
    assert.is_truthy(run(bank.clientSecret):find("^Bearer token, %d+ s left\n0$"))
  end)

  it("says plainly that the bank refuses a wrong secret", function()
    assert.is_truthy(run("canary-secret-wrong")
      :find("^denied: the bank does not accept these credentials [^\n]*\n1$"))
  end)
end)
