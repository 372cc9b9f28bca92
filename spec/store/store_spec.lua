-- The stores: what all must do, and what each does in its own way.

local auth = require "corebank.auth"
local contract = require "spec.support.store_contract"
local core = require "corebank.auth.core"
local file = require "corebank.auth.store.file"
local lfs = require "lfs"
local memory = require "corebank.auth.store.memory"
local process = require "spec.process"

local function clock()
  local now = 1000
  return function() return now end, function(seconds) now = now + seconds end
end

contract.run("memory", function()
  local read, elapse = clock()
  local store = memory.new(read)
  return {store = store, other = store, elapse = elapse}
end, describe, it)

describe("the memory store", function()
  it("is one of its own each time", function()
    local one, another = memory.new(), memory.new()
    one:put("a", "bytes", 60)
    assert.is_nil(another:get("a"))
    assert.is_true(one:lease("a", "one", 60))
    assert.is_true(another:lease("a", "another", 60))
  end)

  it("does not pile up what has ended", function()
    local read, elapse = clock()
    local store = memory.new(read)
    collectgarbage()
    local before = collectgarbage("count")
    for i = 1, 20000 do
      store:put(("%x"):format(i), ("x"):rep(100) .. i, 5)
      store:lease(("%x"):format(i), "owner " .. i, 5)
      elapse(1)
    end
    collectgarbage()
    collectgarbage()
    -- KiB. Lua's own table of strings may still have its size; all entries would be thousands.
    assert.is_true(collectgarbage("count") < before + 1000)
    assert.is_nil(store:get("1"))
    assert.is_truthy(store:get(("%x"):format(20000)))
  end)

  it("shows nobody what it holds", function()
    local store = memory.new()
    store:put("a", "canary-token-kept", 60)
    assert.is_nil(next(store))
    assert.is_false(getmetatable(store))
  end)
end)

-- ---- file --------------------------------------------------------------------------------------

local NAME = ("0123456789abcdef"):rep(2)

-- A folder that is not there yet, below one that this spec made.
local function fresh_folder()
  local path = os.tmpname()
  os.remove(path)
  assert(lfs.mkdir(path))
  return path .. "/store", function() os.execute("rm -rf '" .. path .. "'") end
end

local function mode_of(path) return assert(lfs.symlinkattributes(path)).permissions end

local function files_in(dir)
  local list = {}
  for name in lfs.dir(dir) do
    if not name:find("^%.") then list[#list + 1] = name end
  end
  table.sort(list)
  return table.concat(list, " ")
end

contract.run("file", function()
  local dir, close = fresh_folder()
  local skew = 0
  local function wall() return core.wall() + skew end
  return {
    store = file.new({dir = dir}, wall), other = file.new({dir = dir}, wall),
    elapse = function(seconds) skew = skew + seconds end, close = close,
  }
end, describe, it)

describe("the file store", function()
  local dir, close
  before_each(function() dir, close = fresh_folder() end)
  after_each(function() close() end)

  it("makes the folder, and those above it, for the user alone", function()
    local deep = dir .. "/a/b"
    local store = auth.store.file{dir = deep}
    assert.is_nil(lfs.attributes(dir))
    assert.is_nil(store:get(NAME))
    assert.is_true(store:delete(NAME))
    assert.is_true(store:release(NAME, "owner"))
    assert.is_nil(lfs.attributes(dir))
    assert.is_true(store:put(NAME, "bytes", 60))
    assert.equal("rwx------", mode_of(dir))
    assert.equal("rwx------", mode_of(dir .. "/a"))
    assert.equal("rwx------", mode_of(deep))
    assert.equal("rw-------", mode_of(deep .. "/" .. NAME))
    assert.equal(NAME, files_in(deep))
  end)

  it("writes files that only their owner can read, whatever the umask", function()
    local pid = process.fork(function()
      process.umask(511)   -- 0777
      assert(lfs.mkdir(dir))
      process.chmod(dir, 448)   -- 0700
      local store = auth.store.file{dir = dir}
      return store:put(NAME, "bytes", 60) and store:get(NAME) == "bytes"
        and store:lease(NAME, "owner", 60)
    end)
    assert.equal(0, process.wait(pid))
    assert.equal("rw-------", mode_of(dir .. "/" .. NAME))
    assert.equal("rw-------", mode_of(dir .. "/" .. NAME .. ".lease"))
  end)

  it("leaves a lease that was given back empty, and nothing else", function()
    local store = auth.store.file{dir = dir}
    assert.is_true(store:lease(NAME, "owner", 60))
    assert.is_true(lfs.attributes(dir .. "/" .. NAME .. ".lease").size > 0)
    assert.is_true(store:release(NAME, "owner"))
    assert.equal(0, lfs.attributes(dir .. "/" .. NAME .. ".lease").size)
    assert.equal(NAME .. ".lease", files_in(dir))
  end)

  it("is where XDG_CACHE_HOME or HOME says, as long as they are absolute", function()
    local usual = {XDG_CACHE_HOME = os.getenv "XDG_CACHE_HOME", HOME = os.getenv "HOME"}
    local function found(cache, home)
      process.setenv("XDG_CACHE_HOME", cache)
      process.setenv("HOME", home)
      local store = auth.store.file()
      process.setenv("XDG_CACHE_HOME", usual.XDG_CACHE_HOME)
      process.setenv("HOME", usual.HOME)
      return store.dir, store
    end
    assert.equal("/c/corebank-auth", found("/c", "/h"))
    assert.equal("/h/.cache/corebank-auth", found("", "/h"))
    assert.equal("/h/.cache/corebank-auth", found("relative", "/h"))
    assert.equal("/h/.cache/corebank-auth", found(nil, "/h"))
    for _, wrong in ipairs{"", "relative", "/" .. ("x"):rep(1000)} do
      local none, store = found(nil, wrong)
      assert.is_nil(none)
      for _, call in ipairs{{"get", NAME}, {"put", NAME, "bytes", 60}, {"delete", NAME},
        {"lease", NAME, "owner", 60}} do
        local value, fault = store[call[1]](store, call[2], call[3], call[4])
        assert.is_nil(value)
        assert.is_truthy(fault:find("set HOME or XDG_CACHE_HOME", 1, true))
      end
      assert.is_true(store:release(NAME, "owner"))
    end
  end)

  it("does not take a slash at the end for leave to follow a link", function()
    for _, path in ipairs{"/a/b", "/a/b/", "/a/b//", "/a/b/.", "/a/b/./"} do
      assert.equal("/a/b", auth.store.file{dir = path}.dir)
    end
  end)

  it("raises for a mistake at the caller's line, naming the option", function()
    local function complaint(given)
      local ok, message = pcall(function() return (auth.store.file(given)) end)
      assert.is_false(ok)
      return message:match("store_spec.lua:%d+: store%.file: (.*)") or "elsewhere: " .. message
    end
    assert.equal("unknown option 'path'; there is only 'dir'", complaint{path = "/a"})
    assert.equal("options must be named; there is only 'dir'", complaint{"/a"})
    assert.equal("dir must be a string, not number", complaint{dir = 1})
    assert.equal("dir must be an absolute path", complaint{dir = "a"})
    assert.equal("dir must be an absolute path", complaint{dir = ""})
    assert.equal("dir must not be the root folder", complaint{dir = "/./"})
    assert.equal("dir must not contain a NUL byte", complaint{dir = "/a\0"})
    assert.equal("dir must have at most 1000 bytes", complaint{dir = "/" .. ("x"):rep(1000)})
    assert.equal("a table is needed, not string", complaint("/a"))
  end)

  it("refuses names and owners that are none, whatever they would lead to", function()
    local store = auth.store.file{dir = dir}
    for _, name in ipairs{"", "..", "../a", "a/b", "a.new", "a b", "A", "a\0", ("a"):rep(81)} do
      assert.is_false((pcall(store.get, store, name)))
      assert.is_false((pcall(store.put, store, name, "bytes", 60)))
      assert.is_false((pcall(store.delete, store, name)))
      assert.is_false((pcall(store.lease, store, name, "owner", 60)))
    end
    for _, owner in ipairs{"", "a b", "a\n", "\255", ("a"):rep(81)} do
      assert.is_false((pcall(store.lease, store, NAME, owner, 60)))
    end
    assert.is_nil(lfs.attributes(dir))
  end)

  it("is not even read by a script that needs none", function()
    local script = ([[%s -e 'require "corebank.auth" for name in pairs(package.loaded) do
      assert(not name:find("store", 1, true), name) end print "none"']]):format(os.getenv "CBA_LUA")
    local pipe = io.popen(script)
    assert.equal("none", pipe:read "*l")
    pipe:close()
  end)
end)
