-- core.so is the loader: it opens libcore.so, which lies beside it.

local lfs = require "lfs"
local files = require "spec.support.files"

local whole = "build/" .. os.getenv "CBA_BUILD" .. "/corebank/auth/"

local function copy(name, folder)
  files.write(folder .. "/" .. name, files.content(whole .. name))
end

local function open(path)
  return pcall(assert(package.loadlib(path, "luaopen_corebank_auth_core")), "corebank.auth.core")
end

describe("the loader", function()
  local folder, before

  setup(function()
    folder = files.new_folder()
    before = lfs.currentdir()
  end)

  teardown(function()
    assert(lfs.chdir(before))
    os.execute("rm -rf '" .. folder .. "'")
  end)

  it("names the file that is missing, or is none", function()
    copy("core.so", folder)
    local ok, message = open(folder .. "/core.so")
    assert.is_false(ok)
    assert.matches("corebank.auth.core is not installed whole", message, 1, true)
    assert.matches(folder .. "/libcore.so", message, 1, true)

    files.write(folder .. "/libcore.so", "no library")
    ok, message = open(folder .. "/core.so")
    assert.is_false(ok)
    assert.matches("libcore.so", message, 1, true)
  end)

  it("finds its other half beside itself, from a relative path, too", function()
    assert(lfs.mkdir(folder .. "/a folder"))
    copy("core.so", folder .. "/a folder")
    copy("libcore.so", folder .. "/a folder")
    assert(lfs.chdir(folder))
    local ok, core = open("./a folder/core.so")
    assert.is_true(ok, core)
    assert.is_string(core.VERSION)
  end)

  -- 5.1 and LuaJIT are one to a module.
  local function is_for(lua)
    local build = os.getenv "CBA_BUILD"
    local function family(name) return name:match "^lua5%.[2-4]" or "5.1" end
    return family(build) == family(lua)
  end

  for _, lua in ipairs{"lua5.1", "lua5.2", "lua5.3", "lua5.4", "luajit"} do
    it("opens it for the Lua that it was made for, and is an ordinary error in " .. lua, function()
      -- Only a program that has ASan's runtime can open a core that needs it.
      if os.getenv "CBA_BUILD":find("asan", 1, true) then return end
      assert(lfs.chdir(before))
      local pipe = io.popen(([[%s -e 'package.path, package.cpath = "", "%s/?.so"
        local ok, core = pcall(require, "corebank.auth.core")
        print(ok, ok and core.VERSION or core)
        if ok then print(core.boot() > 0) end' 2>&1]]):format(lua, whole:match "^build/[^/]+"))
      local said = pipe:read "*a"
      pipe:close()
      if is_for(lua) then
        assert.matches("^true\t%d[%d.]+\ntrue\n$", said)
      else
        assert.matches("^false\t", said)
        assert.is_truthy(said:find "version mismatch" or said:find "incompatible numeric types"
          or said:find "undefined symbol: lua[%w_]+\n", said)
      end
    end)
  end

  it("opens one libcurl: the one that the core is linked with", function()
    assert(lfs.chdir(before))
    assert.is_true((open(whole .. "core.so")))
    local expected = os.getenv "CBA_BUILD":find "gnutls" and "libcurl%-gnutls" or "libcurl%."
    local seen, count = {}, 0
    for line in files.content("/proc/self/maps"):gmatch "[^\n]+" do
      local name = line:match "/(libcurl[^/]*)$"
      if name and not seen[name] then seen[name], count = true, count + 1 end
    end
    assert.equal(1, count)
    assert.matches("^" .. expected, (next(seen)))
    local opened = files.content(whole .. "core.so"):match "libcurl[%w.-]+"
    assert.is_truthy(files.content(whole .. "libcore.so"):find(opened, 1, true), opened)
  end)
end)
