-- Whose a lease of the file store is when its process dies, forks, stands still or lets go.

local core = require "corebank.auth.core"
local file = require "corebank.auth.store.file"
local files = require "spec.support.files"
local lfs = require "lfs"
local place = require "spec.support.place"
local process = require "spec.process"

local CONT, KILL, NAME, STOP = place.CONT, place.KILL, place.NAME, place.STOP
local here = place.of_each_test(before_each, after_each, teardown)

describe("the lease", function()
  local skew
  local function wall() return core.wall() + skew end
  local store
  before_each(function()
    skew = 0
    store = file.new({dir = here.dir}, wall)
  end)
  after_each(function() store = nil end)   -- and the leases that it holds

  it("of a process that was killed is free at once, and for the patient at its end", function()
    local pid = here:holder(5)
    assert.is_false(store:lease(NAME, "next", 60))
    process.kill(pid, KILL)
    process.wait(pid)
    assert.is_false(store:lease(NAME, "patient", 60, true))
    skew = 6
    assert.is_true(store:lease(NAME, "patient", 2, true))
    assert.is_true(store:release(NAME, "patient"))
    os.remove(here.parent .. "/holds")
    skew = 0
    pid = here:holder(5)
    process.kill(pid, KILL)
    process.wait(pid)
    assert.is_true(store:lease(NAME, "next", 60))
  end)

  it("of a process that stands still is free after its end, and then not its own", function()
    local pid = process.fork(function()
      local mine = here:store()
      assert(mine:lease(NAME, "stopped", 5))
      files.write(here.parent .. "/holds", "")
      while not lfs.attributes(here.parent .. "/go on") do core.sleep(0.01) end
      return mine:release(NAME, "stopped")
    end)
    here:await "holds"
    process.kill(pid, STOP)
    assert.is_false(store:lease(NAME, "next", 60))
    assert.is_false(store:lease(NAME, "patient", 60, true))
    skew = 6
    assert.is_true(store:lease(NAME, "next", 60))
    process.kill(pid, CONT)
    files.write(here.parent .. "/go on", "")
    assert.equal(0, process.wait(pid))
    assert.is_false(here:store():lease(NAME, "third", 60))
  end)

  it("is not renewed by who has lost it", function()
    local mine = file.new({dir = here.dir}, core.wall)
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
      assert(file.new({dir = here.dir}, wall):lease(NAME, "child", 60) == false)
      store = nil
      collectgarbage()
      collectgarbage()
      return true
    end)
    assert.equal(0, process.wait(pid))
    pid = process.fork(function() return store:lease(NAME, "parent", 60) == false end)
    assert.equal(0, process.wait(pid))
    assert.is_false(file.new({dir = here.dir}, wall):lease(NAME, "next", 60))
    assert.is_true(store:lease(NAME, "parent", 60))
  end)

  it("is not held by somebody who only looks at it", function()
    local pid = here:holder(60)
    process.kill(pid, KILL)
    process.wait(pid)
    local close = here:locked(here:path_of ".lease", "-s")
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
      files.write(here.parent .. "/child", tostring(child))
      return true
    end)
    assert.equal(0, process.wait(owner))
    local child = tonumber(files.content(here.parent .. "/child"))
    assert.is_false(store:lease(NAME, "next", 60))
    skew = 6
    assert.is_true(store:lease(NAME, "next", 60))
    process.kill(child, KILL)
  end)

  it("does not outlast a clock that is put back", function()
    local pid = here:holder(60)
    skew = -7200
    assert.is_true(store:lease(NAME, "next", 60))
    process.kill(pid, KILL)
    process.wait(pid)
  end)

  it("is never longer than 15 minutes", function()
    assert.is_true(store:lease(NAME, "owner", 1e9))
    skew = 899
    assert.is_false(file.new({dir = here.dir}, wall):lease(NAME, "next", 60))
    skew = 901
    assert.is_true(file.new({dir = here.dir}, wall):lease(NAME, "next", 60))
  end)

  it("that is dropped and not given back is a dead owner's", function()
    assert.is_true(file.new({dir = here.dir}, wall):lease(NAME, "dropped", 60))
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
    assert.is_true(place.count_descriptors() <= here.descriptors + 1)
  end)
end)
