-- Disks that are full or read-only, and limits of a process.

local files = require "spec.support.files"
local lfs = require "lfs"
local place = require "spec.support.place"
local process = require "spec.process"

local NAME = place.NAME
local here = place.of_each_test(before_each, after_each, teardown)

describe("a disk", function()
  -- A script of the shell's: it does what `shell` says, and then runs `script` as a program.
  local function program(shell, script)
    files.write(here.parent .. "/script.lua", [[
      local auth = require "corebank.auth"
      local NAME = "]] .. NAME .. [["
      local store = auth.store.file{dir = "]] .. here.dir .. [["}
      local function refused(done, fault) print(assert(done == nil and fault)) end
    ]] .. script .. "\nprint 'the end'\n")
    files.write(here.parent .. "/script.sh", ("set -e\n%s\nexec %s '%s/script.lua'\n"):format(shell,
      os.getenv "CBA_LUA", here.parent))
    return here.parent .. "/script.sh"
  end

  -- In a mount namespace of its own: nothing is left mounted, however it ends.
  local function run_mounted(shell, script)
    return files.output_of(("unshare -rm sh '%s'"):format(program(shell, script)))
  end

  local function cannot_mount()
    return files.output_of("unshare -rm mount -t tmpfs tmpfs /tmp && echo yes") ~= "yes\n"
  end

  it("that is full: the old bytes stay, and no temporary file", function()
    if cannot_mount() then pending("no file system can be mounted here") return end
    lfs.mkdir(here.dir)
    local mount = "mount -t tmpfs -o size=64k,mode=700 tmpfs '%s'"
    local output = run_mounted(mount:format(here.dir), [[
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
      :format(here:path_of(), here:path_of()) .. "the end\n", output)
  end)

  it("that is read-only can be read", function()
    if cannot_mount() then pending("no file system can be mounted here") return end
    here:store_with_an_entry()
    local output = run_mounted(("mount --bind '%s' '%s' && mount -o remount,bind,ro '%s'")
      :format(here.dir, here.dir, here.dir), [[
      assert(#store:get(NAME) == 19)
      refused(store:put(NAME, "b", 60))
      refused(store:delete(NAME))
      refused(store:lease(NAME, "owner", 60))
      assert(#store:get(NAME) == 19)
    ]])
    assert.equal(("%s.new: Read-only file system\n%s: Read-only file system\n")
      :format(here:path_of(), here:path_of())
      .. ("%s.lease.new: Read-only file system\nthe end\n"):format(here:path_of()), output)
  end)

  it("on which files may not grow: a fault, and no signal ends the process", function()
    local store = here:store_with_an_entry()
    local pid = process.fork(function()
      process.limit_file_size(0)
      for suffix, outcome in pairs{
        [".new"] = {store:put(NAME, ("b"):rep(60000), 60)},
        [".lease.new"] = {store:lease(NAME, "owner", 60)},
      } do
        assert(outcome[1] == nil and outcome[2] == here:path_of(suffix) .. ": File too large")
      end
      return store:get(NAME) == "canary-token-sealed"
    end)
    assert.equal(0, process.wait(pid))
    assert.equal(NAME, (files.output_of("ls '" .. here.dir .. "'"):gsub("\n", "")))
  end)

  it("with no descriptor left: a fault, and the next call works", function()
    local store = here:store_with_an_entry()
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
