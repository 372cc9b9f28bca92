-- What the scripts are like, all of them. They are the same under every Lua.
if os.getenv "CBA_BUILD" ~= "lua5.4" then
  return
end

local files = require "spec.support.files"
local lfs = require "lfs"

local function is_program(path)
  local attributes = lfs.attributes(path)
  return attributes.mode == "file" and attributes.permissions:find("x", 1, true) ~= nil
end

describe("a script", function()
  it("that is asked for help says what it is for, and does nothing", function()
    local asked = 0
    for name in lfs.dir "script" do
      if is_program("script/" .. name) then
        local path = files.quoted(lfs.currentdir() .. "/script/" .. name)
        local pipe = io.popen("cd / && timeout 5 " .. path .. " --help 2>&1")
        local said = pipe:read "*a"
        assert.equal(0, select(3, pipe:close()), name)
        assert.equal("script/" .. name, said:match "^%S+")
        assert.is_truthy(said:find "%w%.\n", name)
        assert.is_nil(said:find "set %-eu", name)
        asked = asked + 1
      end
    end
    assert.is_true(asked > 5)
  end)

  it("of the sandbox bank is no different, and makes no folder of a flag", function()
    for _, name in ipairs{"start", "stop"} do
      local path = files.quoted(lfs.currentdir() .. "/spec/sandbox/" .. name)
      local folder = files.new_folder()
      local function run(flag)
        local pipe = io.popen(("cd %s && timeout 5 %s %s 2>&1"):format(folder, path, flag))
        local said = pipe:read "*a"
        return said, select(3, pipe:close())
      end
      for _, flag in ipairs{"-h", "--help"} do
        local said, status = run(flag)
        assert.equal(0, status)
        assert.is_truthy(said:find("^spec/sandbox/" .. name .. " DIR\n.*%w%.\n"), said)
        assert.is_nil(said:find "set %-eu")
      end
      for _, mistake in ipairs{"--halp", ""} do
        local said, status = run(mistake)
        assert.equal(2, status)
        assert.equal(("usage: spec/sandbox/%s DIR\n"):format(name), said)
      end
      assert.is_true(lfs.rmdir(folder), "a folder of a flag's name")
    end
  end)

  it("that fuzzes takes a number of seconds, and no word for for ever", function()
    for _, seconds in ipairs{"abc", "0", "-1", "1.5"} do
      local pipe = io.popen("timeout 5 script/fuzz " .. seconds .. " 2>&1")
      local said = pipe:read "*a"
      assert.equal(2, select(3, pipe:close()))
      assert.is_truthy(said:find("is no number of seconds", 1, true), said)
    end
  end)
end)

-- script/test names the folders for LuaJIT, in two runs that take about as long.
describe("script/test", function()
  it("runs each folder of specs on LuaJIT", function()
    local named = {}
    for line in files.content "script/test":gmatch "\nscript/specs luajit [^\n]*" do
      for folder in line:gmatch "spec/(%w+)" do named[folder] = true end
    end
    local folders = files.lines_of "find spec -name '*_spec.lua' | cut -d / -f 2 | sort -u"
    assert.is_true(#folders > 10)
    for _, folder in ipairs(folders) do assert.is_true(named[folder], folder) end
  end)
end)
