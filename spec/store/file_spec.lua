-- FAULTS of the file store: processes that die, stop and race; folders and files that are broken.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local file = require "corebank.auth.store.file"
local files = require "spec.support.files"
local lfs = require "lfs"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local NAME = ("0123456789abcdef"):rep(2)
local KILL, CONT, STOP = 9, 18, 19

local parent, dir      -- of each test: a folder, and the store's own in it
local descriptors
local made             -- the stores of a test that are still there

local function count_descriptors() return files.count_entries("/proc/self/fd") end

local new_store = file.new
function file.new(...)
  local store, mistake = new_store(...)
  made[#made + 1] = store
  return store, mistake
end

-- LuaJIT may find a store in a register that nobody uses any more, and its lease has a descriptor.
local function close_leases()
  for _, store in pairs(made) do
    for _, held in pairs(store.held) do held.lease:close() end
  end
end

before_each(function()
  collectgarbage()
  collectgarbage()
  made = setmetatable({}, {__mode = "v"})
  descriptors = count_descriptors()
  parent = os.tmpname()
  os.remove(parent)
  assert(lfs.mkdir(parent))
  dir = parent .. "/store"
end)

after_each(function()
  os.execute("chmod -R u+rwX '" .. parent .. "'; rm -rf '" .. parent .. "'")
  close_leases()
  collectgarbage()
  collectgarbage()
  assert.equal(descriptors, count_descriptors())
end)

teardown(function() file.new = new_store end)

local function path_of(suffix) return dir .. "/" .. NAME .. (suffix or "") end

local function output_of(command)
  local pipe = io.popen(command .. " 2>&1")
  local output = pipe:read "*a"
  pipe:close()
  return output
end

-- All that can be seen of what lies there, the times of change included.
local function snapshot()
  return output_of(([[find '%s' -printf '%%P %%y %%m %%U %%s %%i %%T@ %%l\n' | sort
    find '%s' -type f -exec cksum {} + | sort]]):format(parent, parent))
end

-- Waits until a file is there: what a child has to say.
local function await(path)
  sandbox.await("nothing at " .. path, function() return lfs.attributes(path) end,
    survive.seconds(10))
end

-- A child that takes the lease, tells so, and lives until it is killed.
local function holder(seconds)
  local pid = process.fork(function()
    if not auth.store.file{dir = dir}:lease(NAME, "holder", seconds) then return false end
    files.write(parent .. "/holds", "")
    while true do core.sleep(60) end
  end)
  await(parent .. "/holds")
  return pid
end

-- Has another process lock a file; what is returned ends it.
local function locked(path, how)
  local other = io.popen(("flock %s '%s' sh -c 'touch \"%s/locked\"; read line'"):format(
    how or "-x", path, parent), "w")
  await(parent .. "/locked")
  return function() other:close() end
end

-- ---- processes that die ------------------------------------------------------------------------

-- The nth value tells what it must be, whole.
local function value(n)
  return ("%08d"):format(n) .. (("%d "):format(n)):rep(200 + n % 900)
end

local function whole(bytes)
  return bytes == value(tonumber(bytes:sub(1, 8)))
end

local function allowed_files()
  local allowed = {["."] = true, [".."] = true, [NAME] = true, [NAME .. ".new"] = true,
    [NAME .. ".lease"] = true, [NAME .. ".lease.new"] = true}
  for name in lfs.dir(dir) do assert.is_true(allowed[name], name) end
end

describe("kill -9 at a random moment #slow", function()
  local function writer(store, last, times)
    return process.fork(function()
      for n = last + 1, last + times do
        store:lease(NAME, "child", 60)
        store:put(NAME, value(n), 60)
        store:release(NAME, "child")
      end
      return true
    end)
  end

  -- Seconds that a child takes to write once, on this machine, now.
  local function time_to_write(store)
    local began = core.boot()
    for _ = 1, 5 do assert.equal(0, process.wait(writer(store, 0, 1))) end
    return (core.boot() - began) / 5
  end

  it("leaves the old or the new bytes, and never a lease that nobody gets", function()
    local store = auth.store.file{dir = dir}
    assert.is_true(store:put(NAME, value(0), 60))
    local longest = 2 * time_to_write(store)
    local seen, count, last = {}, 0, 0
    for _ = 1, 250 do
      local pid = writer(store, last, 1000)
      core.sleep(core.random() * longest)
      process.kill(pid, KILL)
      assert.equal(-KILL, process.wait(pid))
      local bytes = assert(store:get(NAME))
      assert.is_true(whole(bytes), "torn")
      last = tonumber(bytes:sub(1, 8))
      if not seen[last] then seen[last], count = true, count + 1 end
      assert.is_true(store:lease(NAME, "parent", 60))
      assert.is_true(store:release(NAME, "parent"))
    end
    allowed_files()
    assert.is_true(count > 20, count .. " rounds came to write")
    assert.is_true(store:put(NAME, "the last", 60))
    assert.equal("the last", store:get(NAME))
  end)
end)

describe("many processes at once", function()
  it("write whole entries, and a reader sees no other", function()
    local store = auth.store.file{dir = dir}
    assert.is_true(store:put(NAME, value(0), 60))
    local writers = {}
    for i = 1, 4 do
      writers[i] = process.fork(function()
        for n = 1, 100 do assert(store:put(NAME, value(1000 * i + n), 60)) end
        return true
      end)
    end
    local ends = core.boot() + 0.3
    repeat assert.is_true(whole(assert(store:get(NAME)))) until core.boot() > ends
    for i = 1, 4 do assert.equal(0, process.wait(writers[i])) end
    assert.is_true(whole(assert(store:get(NAME))))
    allowed_files()
  end)

  -- 20 processes ask at the same moment, and none ends before all have asked; how many got it.
  local function race()
    local children, granted = {}, 0
    for i = 1, 20 do
      children[i] = process.fork(function()
        local store = auth.store.file{dir = dir}
        repeat until lfs.attributes(parent .. "/start")
        local outcome = store:lease(NAME, "racer-" .. i, 60)
        files.write(parent .. "/asked-" .. i, "")
        await(parent .. "/end")
        return assert(outcome ~= nil, "a fault") and outcome
      end)
    end
    files.write(parent .. "/start", "")
    for i = 1, 20 do await(parent .. "/asked-" .. i) end
    files.write(parent .. "/end", "")
    for _, pid in ipairs(children) do
      granted = granted + (process.wait(pid) == 0 and 1 or 0)
    end
    os.execute(("rm '%s/start' '%s/end' '%s'/asked-*"):format(parent, parent, parent))
    return granted
  end

  it("race for a lease that nobody has: exactly one gets it", function()
    assert.equal(1, race())                -- no folder yet
    assert.equal(1, race())                -- its owner has died
    local store = auth.store.file{dir = dir}
    assert.is_true(store:lease(NAME, "parent", 60))
    assert.equal(0, race())
    assert.is_true(store:release(NAME, "parent"))
    assert.equal(1, race())                -- it was given back
    allowed_files()
  end)

  it("never hold one lease together, however often they take it and give it back", function()
    local children = {}
    for i = 1, 6 do
      children[i] = process.fork(function()
        local store, owner = auth.store.file{dir = dir}, "taker-" .. i
        local ends, taken = core.boot() + 0.7, 0
        repeat
          if assert(store:lease(NAME, owner, 60) ~= nil) and next(store.held) then
            assert(lfs.mkdir(parent .. "/inside"))   -- fails when there is another one inside
            assert(lfs.rmdir(parent .. "/inside"))
            assert(store:release(NAME, owner))
            taken = taken + 1
          end
        until core.boot() > ends
        return taken > 0
      end)
    end
    for i = 1, 6 do assert.equal(0, process.wait(children[i])) end
    allowed_files()
  end)

  it("race for the lease of a process that was stopped and has ended", function()
    local pid = holder(0.2)
    process.kill(pid, STOP)
    core.sleep(0.25)
    assert.equal(1, race())
    process.kill(pid, KILL)
    process.wait(pid)
  end)
end)

describe("the lease", function()
  local skew
  local function wall() return core.wall() + skew end
  local store
  before_each(function()
    skew = 0
    store = file.new({dir = dir}, wall)
  end)
  after_each(function() store = nil end)   -- and the leases that it holds

  it("of a process that was killed is free at once, and for the patient at its end", function()
    local pid = holder(5)
    assert.is_false(store:lease(NAME, "next", 60))
    process.kill(pid, KILL)
    process.wait(pid)
    assert.is_false(store:lease(NAME, "patient", 60, true))
    skew = 6
    assert.is_true(store:lease(NAME, "patient", 2, true))
    assert.is_true(store:release(NAME, "patient"))
    os.remove(parent .. "/holds")
    skew = 0
    pid = holder(5)
    process.kill(pid, KILL)
    process.wait(pid)
    assert.is_true(store:lease(NAME, "next", 60))
  end)

  it("of a process that stands still is free after its end, and then not its own", function()
    local pid = process.fork(function()
      local mine = auth.store.file{dir = dir}
      assert(mine:lease(NAME, "stopped", 5))
      files.write(parent .. "/holds", "")
      while not lfs.attributes(parent .. "/go on") do core.sleep(0.01) end
      return mine:release(NAME, "stopped")
    end)
    await(parent .. "/holds")
    process.kill(pid, STOP)
    assert.is_false(store:lease(NAME, "next", 60))
    assert.is_false(store:lease(NAME, "patient", 60, true))
    skew = 6
    assert.is_true(store:lease(NAME, "next", 60))
    process.kill(pid, CONT)
    files.write(parent .. "/go on", "")
    assert.equal(0, process.wait(pid))
    assert.is_false(auth.store.file{dir = dir}:lease(NAME, "third", 60))
  end)

  it("is not renewed by who has lost it", function()
    local mine = file.new({dir = dir}, core.wall)
    assert.is_true(mine:lease(NAME, "a", 5))
    skew = 6
    assert.is_true(store:lease(NAME, "b", 60))
    assert.is_false(mine:lease(NAME, "a", 60))
    assert.is_true(mine:release(NAME, "a"))
    assert.is_false(mine:lease(NAME, "c", 60))
  end)

  it("belongs to the owner, not to a child that it forks", function()
    assert.is_true(store:lease(NAME, "parent", 60))
    local pid = process.fork(function()
      assert(store:release(NAME, "parent"))
      assert(store:lease(NAME, "parent", 60) == false)
      assert(file.new({dir = dir}, wall):lease(NAME, "child", 60) == false)
      store = nil
      collectgarbage()
      collectgarbage()
      return true
    end)
    assert.equal(0, process.wait(pid))
    pid = process.fork(function() return store:lease(NAME, "parent", 60) == false end)
    assert.equal(0, process.wait(pid))
    assert.is_false(file.new({dir = dir}, wall):lease(NAME, "next", 60))
    assert.is_true(store:lease(NAME, "parent", 60))
  end)

  it("is not held by somebody who only looks at it", function()
    local pid = holder(60)
    process.kill(pid, KILL)
    process.wait(pid)
    local close = locked(path_of ".lease", "-s")
    assert.is_true(store:lease(NAME, "next", 60))
    close()
  end)

  it("that is given back is free although a child lives on", function()
    assert.is_true(store:lease(NAME, "parent", 60))
    local pid = process.fork(function() while true do core.sleep(60) end end)
    assert.is_true(store:release(NAME, "parent"))
    assert.is_true(store:lease(NAME, "next", 60, true))
    process.kill(pid, KILL)
    process.wait(pid)
  end)

  it("of a dead owner whose child lives on ends when it ends", function()
    local owner = process.fork(function()
      assert(store:lease(NAME, "owner", 5))
      local child = process.fork(function() while true do core.sleep(60) end end)
      files.write(parent .. "/child", tostring(child))
      return true
    end)
    assert.equal(0, process.wait(owner))
    local child = tonumber(files.content(parent .. "/child"))
    assert.is_false(store:lease(NAME, "next", 60))
    skew = 6
    assert.is_true(store:lease(NAME, "next", 60))
    process.kill(child, KILL)
  end)

  it("does not outlast a clock that is put back", function()
    local pid = holder(60)
    skew = -7200
    assert.is_true(store:lease(NAME, "next", 60))
    process.kill(pid, KILL)
    process.wait(pid)
  end)

  it("is never longer than 15 minutes", function()
    assert.is_true(store:lease(NAME, "owner", 1e9))
    skew = 899
    assert.is_false(file.new({dir = dir}, wall):lease(NAME, "next", 60))
    skew = 901
    assert.is_true(file.new({dir = dir}, wall):lease(NAME, "next", 60))
  end)

  it("that is dropped and not given back is a dead owner's", function()
    assert.is_true(file.new({dir = dir}, wall):lease(NAME, "dropped", 60))
    collectgarbage()
    collectgarbage()
    assert.is_false(store:lease(NAME, "patient", 60, true))
    assert.is_true(store:lease(NAME, "next", 60))
  end)

  it("that ends and is never given back holds no descriptor for ever", function()
    for i = 1, 50 do
      assert.is_true(store:lease(NAME .. i, "owner", 5))
      skew = skew + 6
    end
    assert.is_true(count_descriptors() <= descriptors + 1)
  end)
end)

-- ---- folders and files that are broken ---------------------------------------------------------

-- A fault, one line, that says this; and nothing was touched.
local function refused(fault, methods)
  local store = auth.store.file{dir = dir}
  for _, method in ipairs(methods) do
    local before = snapshot()
    local got, said
    if method == "lease" then
      got, said = store:lease(NAME, "owner", 60)
    else
      got, said = store[method](store, NAME, "new bytes", 60)
    end
    assert.is_nil(got, method)
    assert.is_truthy(said:find(fault), said)
    assert.is_truthy(said:find(dir, 1, true), said)
    assert.is_nil(said:find("%c"))
    survive.no_canary(said)
    assert.equal(before, snapshot())
  end
end

local function a_store_with_an_entry()
  local store = auth.store.file{dir = dir}
  assert.is_true(store:put(NAME, "canary-token-sealed", 60))
  return store
end

local is_root = output_of("id -u") == "0\n"

describe("a folder", function()
  local function refuses(fault) refused(fault, {"get", "put", "delete", "lease"}) end

  it("that is open to others is refused, and used again when it is not", function()
    local store = a_store_with_an_entry()
    for _, mode in ipairs{"710", "701", "750", "1777"} do
      os.execute("chmod " .. mode .. " '" .. dir .. "'")
      refuses("store is open to other users; chmod 700 it, or name /[^ ]*/store/corebank%-auth$")
    end
    os.execute("chmod 777 '" .. dir .. "'")
    refuses("store is open to other users; chmod 700 it, or name another folder$")
    os.execute("chmod 700 '" .. dir .. "'")
    assert.equal("canary-token-sealed", store:get(NAME))
  end)

  it("that is somebody else's is refused", function()
    if not is_root then pending("only root can give a folder away") return end
    a_store_with_an_entry()
    os.execute("chown 65534 '" .. dir .. "'")
    refuses("store belongs to another user; name another folder$")
  end)

  it("that is a symbolic link is refused, wherever it leads", function()
    for target, advice in pairs{[parent .. "/real"] = "name /[^ ]*/store/corebank%-auth",
      [parent .. "/nowhere"] = "name another folder"} do
      os.execute(("mkdir -m 700 -p '%s/real'; ln -sfn '%s' '%s'"):format(parent, target, dir))
      refuses("store is a symbolic link; " .. advice .. "$")
    end
  end)

  it("that is a file, or below one, is refused", function()
    files.write(dir, "something")
    refuses("store is not a folder; name another folder$")
    local _, fault = auth.store.file{dir = dir .. "/below"}:get(NAME)
    assert.equal(dir .. " is not a folder; name another folder", fault)
  end)

  it("that cannot be made is a fault of put and lease, and a miss", function()
    dir = "/proc/self/nothing here"
    local store = auth.store.file{dir = dir}
    assert.is_nil(select(2, store:get(NAME)))
    assert.is_true(store:delete(NAME))
    local done, fault = store:put(NAME, "bytes", 60)
    assert.is_nil(done)
    assert.is_truthy(fault:find("^/proc/self/nothing here: "), fault)
    assert.is_nil((store:lease(NAME, "owner", 60)))
  end)

  it("whose path has a line break is named in one line", function()
    dir = parent .. "/a\nb"
    files.write(dir, "")
    local _, fault = auth.store.file{dir = dir}:get(NAME)
    assert.is_truthy(fault:find("/a?b is not", 1, true), fault)
  end)

  it("that is removed while it is in use is made again", function()
    local store = a_store_with_an_entry()
    assert.is_true(store:lease(NAME, "owner", 60))
    os.execute("rm -rf '" .. dir .. "'")
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
    refused(fault, methods or {"get", "put", "delete"})
    local store = auth.store.file{dir = dir}
    assert.is_true(store:lease(NAME, "owner", 60))
    assert.is_true(store:release(NAME, "owner"))
    os.remove(path_of ".lease")
    assert.is_nil(select(2, store:get(("a"):rep(32))))
  end

  before_each(function() a_store_with_an_entry() end)

  it("that is open to others is refused", function()
    for _, mode in ipairs{"640", "604", "620", "666"} do
      os.execute("chmod " .. mode .. " '" .. path_of() .. "'")
      refuses("is open to other users; chmod 600 or remove it$", {"get"})
    end
  end)

  it("that is somebody else's is refused", function()
    if not is_root then pending("only root can give a file away") return end
    os.execute("chown 65534 '" .. path_of() .. "'")
    refuses("belongs to another user; remove it$")
  end)

  it("that is a symbolic link is refused, and nobody follows it", function()
    for _, target in ipairs{parent .. "/elsewhere", parent .. "/nowhere"} do
      files.write(parent .. "/elsewhere", "corebank-auth 1\nelsewhere")
      os.execute(("ln -sfn '%s' '%s'"):format(target, path_of()))
      refuses("is a symbolic link; remove it$", {"get"})
    end
  end)

  it("that is a FIFO, a folder or a socket is refused, and nobody waits for it", function()
    for _, make in ipairs{"mkfifo -m 600", "mkdir -m 700"} do
      os.execute(("rm -rf '%s'; %s '%s'"):format(path_of(), make, path_of()))
      local began = core.boot()
      refuses("is not a regular file; remove it$")
      assert.is_true(core.boot() - began < survive.seconds(2))
    end
    os.execute(("rm -rf '%s'"):format(path_of()))
    local unix = require "socket.unix"
    local server = assert((type(unix) == "table" and unix.stream or unix)())
    assert(server:bind(path_of()))
    refuses("is not a regular file; remove it$")
    server:close()
  end)

  it("that is not understood is refused to readers: garbage, cut off, empty", function()
    for _, content in ipairs{"", "corebank-auth 1", "garbage", ("\0"):rep(5000),
      ("canary-token-plain\n"):rep(9), "corebank-auth 1\n" .. ("x"):rep(129 * 1024 + 1)} do
      files.write(path_of(), content)
      refuses("is damaged, or not an entry of corebank%-auth; the next entry takes its place$",
        {"get"})
    end
    files.write(path_of(), "corebank-auth 1\n" .. ("x"):rep(129 * 1024))
    assert.equal(129 * 1024, #auth.store.file{dir = dir}:get(NAME))
  end)

  it("that would be too large is not written", function()
    local store = auth.store.file{dir = dir}
    local done, fault = store:put(NAME, ("x"):rep(129 * 1024 + 1), 60)
    assert.is_nil(done)
    assert.is_truthy(fault:find("would be larger than an entry can be", 1, true))
    assert.equal("canary-token-sealed", store:get(NAME))
  end)

  it("that is of a later version is refused, and left to that", function()
    for _, version in ipairs{"2", "10"} do
      files.write(path_of(), ("corebank-auth %s\nbytes"):format(version))
      refuses("is of another version; remove it$", {"get", "put"})
    end
  end)

  it("that somebody else is writing is written after them", function()
    files.write(path_of ".new", "half a li")
    os.execute("chmod 600 '" .. path_of ".new" .. "'")
    locked(path_of ".new")()   -- whoever had it has closed it
    local store = auth.store.file{dir = dir}
    assert.is_true(store:put(NAME, "mine", 60))
    assert.equal("mine", store:get(NAME))
    assert.is_nil(lfs.attributes(path_of ".new"))
  end)

  it("takes the place of what a process left behind that died", function()
    files.write(path_of ".new", "corebank-auth 1\n" .. ("canary-token-half"):rep(100))
    os.execute("chmod 600 '" .. path_of ".new" .. "'")
    local store = auth.store.file{dir = dir}
    assert.is_true(store:put(NAME, "short", 60))
    assert.equal("short", store:get(NAME))
    assert.is_nil(lfs.attributes(path_of ".new"))
  end)

  it("whose temporary file is a link or open to others is written to another one", function()
    local target = parent .. "/elsewhere"
    files.write(target, "elsewhere")
    for _, make in ipairs{"touch @; chmod 644 @", "ln -sfn '" .. target .. "' @"} do
      os.execute((make:gsub("@", path_of ".new")))
      assert.is_true(auth.store.file{dir = dir}:put(NAME, "mine", 60))
      assert.equal("mine", auth.store.file{dir = dir}:get(NAME))
      assert.equal("elsewhere", files.content(target))
    end
  end)

  it("whose temporary file is no regular file is not written", function()
    for _, make in ipairs{"mkfifo -m 600 '%s'; : '%s'", "mkdir -m 700 '%s'; : '%s'"} do
      os.execute(make:format(path_of ".new", path_of ".new"))
      refused(NAME .. "%.new is ", {"put"})
      os.execute("rm -rf '" .. path_of ".new" .. "'")
    end
  end)
end)

describe("a lease's file", function()
  it("that is broken is refused, and entries are as they were", function()
    local store = a_store_with_an_entry()
    local path = path_of ".lease"
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

-- ---- disks -------------------------------------------------------------------------------------

describe("a disk", function()
  -- A script of the shell's: it does what `shell` says, and then runs `script` as a program.
  local function program(shell, script)
    files.write(parent .. "/script.lua", [[
      local auth = require "corebank.auth"
      local NAME = "]] .. NAME .. [["
      local store = auth.store.file{dir = "]] .. dir .. [["}
      local function refused(done, fault) print(assert(done == nil and fault)) end
    ]] .. script .. "\nprint 'the end'\n")
    files.write(parent .. "/script.sh", ("set -e\n%s\nexec %s '%s/script.lua'\n"):format(shell,
      os.getenv "CBA_LUA", parent))
    return parent .. "/script.sh"
  end

  -- In a mount namespace of its own: nothing is left mounted, however it ends.
  local function run_mounted(shell, script)
    return output_of(("unshare -rm sh '%s'"):format(program(shell, script)))
  end

  local function cannot_mount()
    return output_of("unshare -rm mount -t tmpfs tmpfs /tmp && echo yes") ~= "yes\n"
  end

  it("that is full: the old bytes stay, and no temporary file", function()
    if cannot_mount() then pending("no file system can be mounted here") return end
    lfs.mkdir(dir)
    local output = run_mounted(("mount -t tmpfs -o size=64k,mode=700 tmpfs '%s'"):format(dir), [[
      assert(store:put(NAME, ("a"):rep(20000), 60))
      refused(store:put(NAME, ("b"):rep(60000), 60))
      assert(store:get(NAME) == ("a"):rep(20000))
      assert(not io.open(store.dir .. "/" .. NAME .. ".new"))
      local rest = io.open(store.dir .. "/rest", "w")
      rest:setvbuf "no"
      repeat until not rest:write(("x"):rep(1024))
      rest:close()
      refused(store:lease(NAME, "owner", 60))
      assert(not io.open(store.dir .. "/" .. NAME .. ".lease.new"))
      assert(store:get(NAME) == ("a"):rep(20000))
      assert(os.remove(store.dir .. "/rest"))
      assert(store:lease(NAME, "owner", 60))
      assert(store:put(NAME, "b", 60))
      assert(store:get(NAME) == "b")
    ]])
    assert.equal(("%s.new: No space left on device\n%s.lease.new: No space left on device\n")
      :format(path_of(), path_of()) .. "the end\n", output)
  end)

  it("that is read-only can be read", function()
    if cannot_mount() then pending("no file system can be mounted here") return end
    a_store_with_an_entry()
    local output = run_mounted(("mount --bind '%s' '%s' && mount -o remount,bind,ro '%s'")
      :format(dir, dir, dir), [[
      assert(#store:get(NAME) == 19)
      refused(store:put(NAME, "b", 60))
      refused(store:delete(NAME))
      refused(store:lease(NAME, "owner", 60))
      assert(#store:get(NAME) == 19)
    ]])
    assert.equal(("%s.new: Read-only file system\n%s: Read-only file system\n")
      :format(path_of(), path_of())
      .. ("%s.lease.new: Read-only file system\nthe end\n"):format(path_of()), output)
  end)

  it("on which files may not grow: a fault, and no signal ends the process", function()
    local store = a_store_with_an_entry()
    local pid = process.fork(function()
      process.limit_file_size(0)
      for suffix, outcome in pairs{
        [".new"] = {store:put(NAME, ("b"):rep(60000), 60)},
        [".lease.new"] = {store:lease(NAME, "owner", 60)},
      } do
        assert(outcome[1] == nil and outcome[2] == path_of(suffix) .. ": File too large")
      end
      return store:get(NAME) == "canary-token-sealed"
    end)
    assert.equal(0, process.wait(pid))
    assert.equal(NAME, (output_of("ls '" .. dir .. "'"):gsub("\n", "")))
  end)

  it("with no descriptor left: a fault, and the next call works", function()
    local store = a_store_with_an_entry()
    local usual = process.limit_files(3)
    local bytes, fault = store:get(NAME)
    local done = store:put(NAME, "b", 60)
    local granted = store:lease(NAME, "owner", 60)
    process.limit_files(usual)
    assert.is_nil(bytes)
    assert.is_truthy(fault:find("Too many open files", 1, true), fault)
    assert.is_nil(done)
    assert.is_nil(granted)
    assert.equal("canary-token-sealed", store:get(NAME))
    assert.is_true(store:lease(NAME, "owner", 60))
  end)
end)
