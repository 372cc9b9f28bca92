-- S15, S16, S42: which folders a store is kept in, and what is said of those that it is not.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local files = require "spec.support.files"
local lfs = require "lfs"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local quoted = files.quoted

local NAME = ("0123456789abcdef"):rep(2)
local NOBODY, SOMEBODY = 65534, 65500   -- users that own nothing here

local is_root = files.lines_of("id -u")[1] == "0"
local function needs_root()
  if not is_root then pending("only root can give files away") end
  return not is_root
end

local parent   -- of each test

before_each(function()
  parent = files.new_folder()
  os.execute("chmod 711 " .. quoted(parent))
end)
after_each(function() os.execute("rm -rf " .. quoted(parent)) end)

local function shell(...) assert(os.execute((...):gsub("@", parent))) end

-- What is wrong with a folder, told by each method alike and with nothing made; nil when it does.
local function fault_of(dir)
  local store = auth.store.file{dir = dir}
  local _, fault = store:get(NAME)
  local before = files.count_entries(parent)
  local done, refused = store:put(NAME, "bytes", 60)
  local granted = store:lease(NAME, "owner", 60)
  store:release(NAME, "owner")
  if done then
    assert.is_nil(fault)
    assert.is_true(granted)
    assert.equal("bytes", store:get(NAME))
    return nil
  end
  assert.is_nil(granted)
  assert.equal(before, files.count_entries(parent))
  if fault then assert.equal(fault, refused) end
  assert.is_nil(refused:find("%c"))
  return refused
end

-- The same, by another user.
local function fault_for(uid, dir)
  local path = parent .. "/" .. uid .. ".fault"
  os.execute("umask 0; : >" .. quoted(path) .. "; chmod 666 " .. quoted(path))
  local pid = process.fork(function()
    process.become(uid)
    local store = auth.store.file{dir = dir}
    local done, fault = store:put(NAME, "bytes", 60)
    if done then assert(store:get(NAME) == "bytes") else files.write(path, fault) end
    return true
  end)
  assert.equal(0, process.wait(pid))
  local fault = files.content(path)
  return fault ~= "" and fault or nil
end

describe("S42: a folder below #slow", function()
  it("one of another user's is refused, however far up, and that one is named", function()
    if needs_root() then return end
    for _, mode in ipairs{"700", "755", "777", "1777"} do
      shell(("rm -rf @/his; mkdir -m %s @/his; chown %d @/his"):format(mode, NOBODY))
      for _, below in ipairs{"/store", "/a/b/store"} do
        local fault = fault_of(parent .. "/his" .. below)
        assert.is_truthy(fault:find(parent .. "/his belongs to another user", 1, true), fault)
        assert.is_truthy(fault:find("; name another folder$"), fault)
      end
    end
    shell("mkdir -m 700 @/his/ours")   -- what is ours in it does not make it better
    assert.is_truthy(fault_of(parent .. "/his/ours/store"):find("/his belongs", 1, true))
    assert.is_truthy(fault_of(parent .. "/his/../his/ours/store"):find("/his belongs", 1, true))
  end)

  it("one of ours that others may rename in is refused, and a sticky one is not", function()
    for mode, does in pairs{["700"] = true, ["755"] = true, ["711"] = true, ["1777"] = true,
      ["777"] = false, ["757"] = false, ["722"] = false} do
      shell(("rm -rf @/ours; mkdir @/ours; chmod %s @/ours"):format(mode))
      local fault = fault_of(parent .. "/ours/a/store")
      assert.equal(does, fault == nil, mode)
      if fault then
        assert.is_truthy(fault:find(parent .. "/ours can be written by other users", 1, true))
        assert.is_truthy(fault:find("chmod go-w it", 1, true), fault)
      end
    end
  end)

  it("one that a group may write in is refused, unless the group is the user's own", function()
    if needs_root() then return end
    shell(("mkdir -m 775 @/ours; chgrp %d @/ours"):format(NOBODY))
    assert.is_truthy(fault_of(parent .. "/ours/store"):find("/ours can be written", 1, true))
    shell("chgrp 0 @/ours")
    assert.is_nil(fault_of(parent .. "/ours/store"))
    shell(("mkdir -m 775 @/his; chown %d:%d @/his"):format(SOMEBODY, SOMEBODY))   -- umask 002
    assert.is_nil(fault_for(SOMEBODY, parent .. "/his/store"))
  end)

  it("one of root's does, for root may do everything anyway", function()
    if needs_root() then return end
    for _, mode in ipairs{"777", "1777"} do   -- the first is what Kubernetes makes
      shell(("rm -rf @/roots; mkdir @/roots; chmod %s @/roots"):format(mode))
      assert.is_nil(fault_for(SOMEBODY, parent .. "/roots/store"))
    end
  end)

  it("a link does when it is ours or root's, and leads where nobody else may rename", function()
    if needs_root() then return end
    shell("mkdir -m 755 @/real @/real/deep; ln -s real/deep @/link; ln -s @/real @/absolute")
    assert.is_nil(fault_of(parent .. "/link/store"))
    assert.equal("bytes", auth.store.file{dir = parent .. "/real/deep/store"}:get(NAME))
    assert.equal("bytes", auth.store.file{dir = parent .. "/absolute/deep/store"}:get(NAME))
    shell(("mkdir @/his; chown %d @/his; ln -sfn @/his @/link"):format(NOBODY))
    assert.is_truthy(fault_of(parent .. "/link/store"):find("/his belongs to another", 1, true))
    shell(("ln -sfn @/real @/link; chown -h %d @/link"):format(NOBODY))
    assert.is_truthy(fault_of(parent .. "/link/store"):find(
      "/link is a symbolic link of another user", 1, true))
    shell("ln -s loop @/loop")
    assert.is_truthy(fault_of(parent .. "/loop/store"):find("/loop cannot be followed", 1, true))
    shell("ln -s nowhere @/dangling")
    assert.is_nil(fault_of(parent .. "/dangling/store"))
  end)
end)

describe("S16: a folder that is not the user's alone #slow", function()
  -- The fault names a folder in it, which then does.
  local function names_one_that_does(dir, uid)
    local function fault_here(path)
      if uid then return fault_for(uid, path) end
      return fault_of(path)
    end
    local fault = fault_here(dir)
    local named = fault:match("name (/%S+)$")
    assert.equal(dir .. "/corebank-auth", named, fault)
    assert.is_nil(fault_here(named))
    return fault
  end

  it("but closed to writers: the fault names the folder in it that would do", function()
    shell("mkdir -m 755 @/cache; ln -s cache @/link; mkdir @/all; chmod 1777 @/all")
    assert.is_truthy(names_one_that_does(parent .. "/cache"):find("chmod 700 it, or name", 1, true))
    assert.is_truthy(names_one_that_does(parent .. "/link"):find("is a symbolic link", 1, true))
    names_one_that_does(parent .. "/all")
  end)

  it("that root made for all, as an emptyDir is: likewise", function()
    if needs_root() then return end
    for _, mode in ipairs{"777", "1777", "2777"} do
      shell(("rm -rf @/empty; mkdir @/empty; chmod %s @/empty"):format(mode))
      assert.is_truthy(names_one_that_does(parent .. "/empty", SOMEBODY):find(
        "belongs to another user", 1, true))
    end
  end)

  it("and in which none would do: another one is asked for", function()
    shell("mkdir @/open; chmod 777 @/open; ln -s nowhere @/link; : >@/file; ln -s file @/to-file")
    assert.equal(parent .. "/open is open to other users; chmod 700 it, or name another folder",
      fault_of(parent .. "/open"))
    for _, name in ipairs{"/link", "/to-file"} do
      assert.equal(parent .. name .. " is a symbolic link; name another folder",
        fault_of(parent .. name))
    end
    shell("mkdir -m 755 @/closed; mkdir -m 755 @/closed/corebank-auth")   -- taken, and as bad
    assert.is_truthy(fault_of(parent .. "/closed"):find("or name another folder$"))
    if needs_root() then return end
    shell(("mkdir -m 777 @/his; chown %d @/his; chmod 777 @/his; mkdir -m 755 @/roots"):format(
      NOBODY))
    assert.equal(parent .. "/his belongs to another user; name another folder",
      fault_of(parent .. "/his"))
    assert.equal(parent .. "/roots belongs to another user; name another folder",
      fault_for(SOMEBODY, parent .. "/roots"))
  end)

  it("is told by the command with its options, and the token comes all the same", function()
    shell("mkdir -m 755 @/cache")
    local function run(...)
      return command.run(parent, command.line(command.environment(parent),
        {..., "--ca-file", bank.caFile, "--store-dir", parent .. "/cache"}))
    end
    local told = ("%s/cache is open to other users; chmod 700 it, or name %s/cache/corebank-auth "
      .. "(--store-dir FOLDER names one, --no-store does without)\n"):format(parent, parent)
    local result = run("token")
    assert.equal(0, result.status)
    assert.equal("corebank-auth: the store failed (get): " .. told, result.err)
    result = run("doctor")
    assert.equal(2, result.status)
    assert.is_truthy(result.out:find("failed  store     " .. told, 1, true), result.out)
    survive.no_canary(result.err .. result.out)
  end)
end)

describe("S15: the usual folder", function()
  -- What root is told that uses it, with these variables.
  local function token(variables)
    local environment = command.environment(parent)
    for name, value in pairs(variables) do environment[name] = value end
    local result = command.run(parent,
      command.line(environment, {"token", "--ca-file", bank.caFile}))
    assert.equal(0, result.status)
    return result.err
  end

  it("below another user's HOME or cache is not made, and the message says what to do", function()
    if needs_root() then return end
    shell(("mkdir @/home @/cache; chown %d @/home @/cache"):format(NOBODY))
    for name, dir in pairs{HOME = parent .. "/home", XDG_CACHE_HOME = parent .. "/cache"} do
      local told = token{[name] = dir}
      assert.is_truthy(told:find(dir .. " belongs to another user, who can replace what is in it; "
        .. "name another folder with XDG_CACHE_HOME or HOME; this one is from " .. name
        .. " (--store-dir FOLDER names one, --no-store does without)\n", 1, true), told)
      assert.equal(2, files.count_entries(dir))
    end
    shell(("mkdir @/home/.cache; chown %d @/home/.cache; chown 0 @/home"):format(NOBODY))
    assert.is_truthy(token{HOME = parent .. "/home"}:find("/home/.cache belongs to", 1, true))
    assert.equal(2, files.count_entries(parent .. "/home/.cache"))
  end)

  it("that others may rename in is not used either", function()
    shell("mkdir @/home; chmod 777 @/home")
    assert.is_truthy(token{HOME = parent .. "/home"}:find("/home can be written by", 1, true))
    assert.equal(2, files.count_entries(parent .. "/home"))
  end)

  it("that cannot be made is told with what to do", function()
    if needs_root() then return end
    shell("mkdir -m 755 @/home")
    local usual = os.getenv "HOME"
    process.setenv("HOME", parent .. "/home")
    process.setenv("XDG_CACHE_HOME", nil)
    local fault = fault_for(SOMEBODY, nil)
    process.setenv("HOME", usual)
    assert.equal(parent .. "/home/.cache/corebank-auth: Permission denied; name another folder "
      .. "with XDG_CACHE_HOME or HOME; this one is from HOME", fault)
  end)

  it("is named with one slash, however HOME is spelt", function()
    local usual, cache = os.getenv "HOME", os.getenv "XDG_CACHE_HOME"
    process.setenv("XDG_CACHE_HOME", nil)
    for home, dir in pairs{["/"] = "/.cache/corebank-auth", ["/a//"] = "/a/.cache/corebank-auth"} do
      process.setenv("HOME", home)
      assert.equal(dir, auth.store.file{}.dir)
    end
    process.setenv("HOME", usual)
    process.setenv("XDG_CACHE_HOME", cache)
  end)

  it("below one's own HOME is made, for the user alone", function()
    shell("mkdir -m 755 @/home")
    assert.equal("", token{HOME = parent .. "/home"})
    for _, dir in ipairs{"/home/.cache", "/home/.cache/corebank-auth"} do
      assert.equal("rwx------", lfs.attributes(parent .. dir).permissions)
    end
  end)
end)
