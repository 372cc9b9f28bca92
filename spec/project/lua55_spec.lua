-- S26: what Lua 5.5 forbids, looked for by older Luas. Debian 12 has no Lua 5.5 to run.

local command = require "spec.support.command"
local files = require "spec.support.files"

local user = command.user(setup, teardown)
local SOURCES = "find lua examples spec bin -name '*.lua' -o -path 'bin/*' -type f"

-- The program with every loop's variables as constants, which they are in Lua 5.5.
local function with_constants(source)
  source = source:gsub("(\n *for ([%w_, ]-) in .-%f[%w]do%f[%W])", function(head, names)
    return ("%s local %s = %s;"):format(head, names:gsub("[%w_]+", "%0 <const>"), names)
  end)
  return (source:gsub("(\n *for ([%w_]+) = .-%f[%w]do%f[%W])", function(head, name)
    return ("%s local %s <const> = %s;"):format(head, name, name)
  end))
end

describe("S26: under Lua 5.5 #slow", function()
  if _VERSION == "Lua 5.4" then
    it("no loop's variable is assigned to", function()
      assert.is_nil(load(with_constants("\nfor i = 1, 2 do i = 3 end")))
      assert.is_nil(load(with_constants("\n  for k, v in pairs{} do\n v = k end")))
      for _, path in ipairs(files.lines_of(SOURCES)) do
        local source = "\n" .. files.content(path):gsub("^#[^\n]*", "")
        assert(load(with_constants(source), "=" .. path))
      end
    end)
  end

  it("nothing is called global", function()
    for _, path in ipairs(files.lines_of(SOURCES)) do
      for line in io.lines(path) do
        local code = line:gsub('".-"', ""):gsub("'.-'", ""):gsub("%-%-.*", "")
        assert.is_nil(code:find("%f[%w_]global%f[^%w_]"), path .. ": " .. line)
      end
    end
  end)

  it("the command runs where collectgarbage has no setpause", function()
    local script = user:write("command.lua", [[
      local collect, calls = collectgarbage, {}
      function collectgarbage(option, ...)
        calls[#calls + 1] = option
        if option == "setpause" or option == "setstepmul" then
          error("bad argument #1 to 'collectgarbage' (invalid option '" .. option .. "')", 2)
        end
        if option ~= "param" then return collect(option, ...) end
      end
      local status = require "corebank.auth.cli.main".run(arg)
      io.stderr:write(table.concat(calls, " "), "\n")
      os.exit(status)]])
    local result = user:run(user:line(command.trusting{"token"}, nil, script))
    assert.equal(0, result.status, result.err)
    assert.equal("setpause param\n", result.err)
  end)

  it("an argparse that does not load is said to be one, a plain line needs none", function()
    -- As argparse 0.7.1 is for Lua 5.5, where a loop's variable is a constant.
    user:write("argparse.lua", "a constant = 1\n")
    local environment = {LUA_PATH = user.home .. "/?.lua;" .. os.getenv "LUA_PATH"}
    local help = user:run({"--help"}, environment)
    local plain = user:run(command.trusting{"token"}, environment)
    assert.equal(1, help.status)
    assert.is_truthy(help.err:find "^corebank%-auth: argparse, .* does not load in Lua 5")
    assert.is_truthy(help.err:find("must be one for this Lua", 1, true), help.err)
    assert.is_nil(help.err:find("bug", 1, true), help.err)
    assert.equal(0, plain.status, plain.err)
  end)

  it("the rock can be installed", function()
    local rockspec = files.content(files.lines_of("ls rockspec/*.rockspec")[1])
    assert.is_truthy(rockspec:find('"lua >= 5.1, < 5.6"', 1, true))
  end)
end)
