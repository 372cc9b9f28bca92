-- Folders and files of the file store that are refused, and what is said of them.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local files = require "spec.support.files"
local lfs = require "lfs"
local place = require "spec.support.place"
local survive = require "spec.support.survive"

local NAME = place.NAME
local here = place.of_each_test(before_each, after_each, teardown)

-- All that can be seen of what lies there, the times of change included.
local function snapshot()
  return files.output_of(([[find '%s' -printf '%%P %%y %%m %%U %%s %%i %%T@ %%l\n' | sort
    find '%s' -type f -exec cksum {} + | sort]]):format(here.parent, here.parent))
end

-- A fault, one line, that says this; and nothing was touched. Returns the seconds that the store
-- took.
local function refused(fault, methods)
  local store, took = here:store(), 0
  for _, method in ipairs(methods) do
    local before = snapshot()
    local got, said
    local began = core.boot()
    if method == "lease" then
      got, said = store:lease(NAME, "owner", 60)
    else
      got, said = store[method](store, NAME, "new bytes", 60)
    end
    took = took + core.boot() - began
    assert.is_nil(got, method)
    assert.is_truthy(said:find(fault), said)
    assert.is_truthy(said:find(here.dir, 1, true), said)
    assert.is_nil(said:find("%c"))
    survive.no_canary(said)
    assert.equal(before, snapshot())
  end
  return took
end

local is_root = files.output_of("id -u") == "0\n"

describe("a folder", function()
  local function refuses(fault) refused(fault, {"get", "put", "delete", "lease"}) end

  it("that is open to others is refused, and used again when it is not", function()
    local store = here:store_with_an_entry()
    for _, mode in ipairs{"710", "701", "750", "1777"} do
      os.execute("chmod " .. mode .. " '" .. here.dir .. "'")
      refuses("store is open to other users; chmod 700 it, or name /[^ ]*/store/corebank%-auth$")
    end
    os.execute("chmod 777 '" .. here.dir .. "'")
    refuses("store is open to other users; chmod 700 it, or name another folder$")
    os.execute("chmod 700 '" .. here.dir .. "'")
    assert.equal("canary-token-sealed", store:get(NAME))
  end)

  it("that is somebody else's is refused", function()
    if not is_root then pending("only root can give a folder away") return end
    here:store_with_an_entry()
    os.execute("chown 65534 '" .. here.dir .. "'")
    refuses("store belongs to another user; name another folder$")
  end)

  it("that is a symbolic link is refused, wherever it leads", function()
    for target, advice in pairs{[here.parent .. "/real"] = "name /[^ ]*/store/corebank%-auth",
      [here.parent .. "/nowhere"] = "name another folder"} do
      os.execute(("mkdir -m 700 -p '%s/real'; ln -sfn '%s' '%s'"):format(here.parent, target,
        here.dir))
      refuses("store is a symbolic link; " .. advice .. "$")
    end
  end)

  it("that is a file, or below one, is refused", function()
    files.write(here.dir, "something")
    refuses("store is not a folder; name another folder$")
    local _, fault = auth.store.file{dir = here.dir .. "/below"}:get(NAME)
    assert.equal(here.dir .. " is not a folder; name another folder", fault)
  end)

  it("that cannot be made is a fault of put and lease, and a miss", function()
    here.dir = "/proc/self/nothing here"
    local store = here:store()
    assert.is_nil(select(2, store:get(NAME)))
    assert.is_true(store:delete(NAME))
    local done, fault = store:put(NAME, "bytes", 60)
    assert.is_nil(done)
    assert.is_truthy(fault:find("^/proc/self/nothing here: "), fault)
    assert.is_nil((store:lease(NAME, "owner", 60)))
  end)

  it("whose path has a line break is named in one line", function()
    here.dir = here.parent .. "/a\nb"
    files.write(here.dir, "")
    local _, fault = here:store():get(NAME)
    assert.is_truthy(fault:find("/a?b is not", 1, true), fault)
  end)

  it("that is removed while it is in use is made again", function()
    local store = here:store_with_an_entry()
    assert.is_true(store:lease(NAME, "owner", 60))
    os.execute("rm -rf '" .. here.dir .. "'")
    assert.is_nil(select(2, store:get(NAME)))
    assert.is_true(store:lease(NAME, "another", 60))
    assert.is_false(store:lease(NAME, "owner", 60))
    assert.is_true(store:put(NAME, "bytes", 60))
    assert.equal("bytes", store:get(NAME))
  end)
end)

describe("an entry", function()
  -- Entries are refused, by these methods or by all, and leases are as they were.
  local function refuses(fault, methods)
    local took = refused(fault, methods or {"get", "put", "delete"})
    local store = here:store()
    assert.is_true(store:lease(NAME, "owner", 60))
    assert.is_true(store:release(NAME, "owner"))
    os.remove(here:path_of ".lease")
    assert.is_nil(select(2, store:get(("a"):rep(32))))
    return took
  end

  before_each(function() here:store_with_an_entry() end)

  it("that is open to others is refused", function()
    for _, mode in ipairs{"640", "604", "620", "666"} do
      os.execute("chmod " .. mode .. " '" .. here:path_of() .. "'")
      refuses("is open to other users; chmod 600 or remove it$", {"get"})
    end
  end)

  it("that is somebody else's is refused", function()
    if not is_root then pending("only root can give a file away") return end
    os.execute("chown 65534 '" .. here:path_of() .. "'")
    refuses("belongs to another user; remove it$")
  end)

  it("that is a symbolic link is refused, and nobody follows it", function()
    for _, target in ipairs{here.parent .. "/elsewhere", here.parent .. "/nowhere"} do
      files.write(here.parent .. "/elsewhere", "corebank-auth 1\nelsewhere")
      os.execute(("ln -sfn '%s' '%s'"):format(target, here:path_of()))
      refuses("is a symbolic link; remove it$", {"get"})
    end
  end)

  it("that is a FIFO, a folder or a socket is refused, and nobody waits for it", function()
    for _, make in ipairs{"mkfifo -m 600", "mkdir -m 700"} do
      os.execute(("rm -rf '%s'; %s '%s'"):format(here:path_of(), make, here:path_of()))
      assert.is_true(refuses("is not a regular file; remove it$") < survive.seconds(2))
    end
    os.execute(("rm -rf '%s'"):format(here:path_of()))
    local unix = require "socket.unix"
    local server = assert((type(unix) == "table" and unix.stream or unix)())
    assert(server:bind(here:path_of()))
    refuses("is not a regular file; remove it$")
    server:close()
  end)

  it("that is not understood is refused to readers: garbage, cut off, empty", function()
    for _, content in ipairs{"", "corebank-auth 1", "garbage", ("\0"):rep(5000),
      ("canary-token-plain\n"):rep(9), "corebank-auth 1\n" .. ("x"):rep(130 * 1024 + 1)} do
      files.write(here:path_of(), content)
      refuses("is damaged, or not an entry of corebank%-auth; the next entry takes its place$",
        {"get"})
    end
    files.write(here:path_of(), "corebank-auth 1\n" .. ("x"):rep(130 * 1024))
    assert.equal(130 * 1024, #here:store():get(NAME))
  end)

  it("that would be too large is not written", function()
    local store = here:store()
    local done, fault = store:put(NAME, ("x"):rep(130 * 1024 + 1), 60)
    assert.is_nil(done)
    assert.is_truthy(fault:find("would be larger than an entry can be", 1, true))
    assert.equal("canary-token-sealed", store:get(NAME))
  end)

  it("that is of a later version is refused, and left to that", function()
    for _, version in ipairs{"2", "10"} do
      files.write(here:path_of(), ("corebank-auth %s\nbytes"):format(version))
      refuses("is of another version; remove it$", {"get", "put"})
    end
  end)

  it("that somebody else is writing is written after them", function()
    files.write(here:path_of ".new", "half a li")
    os.execute("chmod 600 '" .. here:path_of ".new" .. "'")
    here:locked(here:path_of ".new")()   -- whoever had it has closed it
    local store = here:store()
    assert.is_true(store:put(NAME, "mine", 60))
    assert.equal("mine", store:get(NAME))
    assert.is_nil(lfs.attributes(here:path_of ".new"))
  end)

  it("takes the place of what a process left behind that died", function()
    files.write(here:path_of ".new", "corebank-auth 1\n" .. ("canary-token-half"):rep(100))
    os.execute("chmod 600 '" .. here:path_of ".new" .. "'")
    local store = here:store()
    assert.is_true(store:put(NAME, "short", 60))
    assert.equal("short", store:get(NAME))
    assert.is_nil(lfs.attributes(here:path_of ".new"))
  end)

  it("whose temporary file is a link or open to others is written to another one", function()
    local target = here.parent .. "/elsewhere"
    files.write(target, "elsewhere")
    for _, make in ipairs{"touch @; chmod 644 @", "ln -sfn '" .. target .. "' @"} do
      os.execute((make:gsub("@", here:path_of ".new")))
      assert.is_true(here:store():put(NAME, "mine", 60))
      assert.equal("mine", here:store():get(NAME))
      assert.equal("elsewhere", files.content(target))
    end
  end)

  it("whose temporary file is no regular file is not written", function()
    for _, make in ipairs{"mkfifo -m 600 '%s'; : '%s'", "mkdir -m 700 '%s'; : '%s'"} do
      os.execute(make:format(here:path_of ".new", here:path_of ".new"))
      refused(NAME .. "%.new is ", {"put"})
      os.execute("rm -rf '" .. here:path_of ".new" .. "'")
    end
  end)
end)

describe("a lease's file", function()
  it("that is broken is refused, and entries are as they were", function()
    local store = here:store_with_an_entry()
    local path = here:path_of ".lease"
    local function refuses(fault)
      refused(fault, {"lease"})
      assert.equal("canary-token-sealed", store:get(NAME))
    end
    files.write(path, "corebank-auth lease 2 000000000000000 x\n")
    os.execute("chmod 600 '" .. path .. "'")
    refuses("%.lease is of another version; remove it$")
    os.execute(("rm '%s'; mkfifo -m 600 '%s'"):format(path, path))
    refuses("%.lease is not a regular file")
    os.remove(path)
    assert.is_true(store:lease(NAME, "owner", 60))
  end)
end)
