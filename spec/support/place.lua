--- A folder for each test, with a file store in it, and other processes that use or lock the store.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local file = require "corebank.auth.store.file"
local files = require "spec.support.files"
local lfs = require "lfs"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

---@class spec.Place
---@field parent string the test's folder
---@field dir string the store's own, in it; not there at first
---@field descriptors integer how many were open before the test
local Place = {}
Place.__index = Place

local place = {}

--- The entry, and what kill takes.
place.NAME = ("0123456789abcdef"):rep(2)
place.KILL, place.CONT, place.STOP = 9, 18, 19

function place.count_descriptors() return files.count_entries("/proc/self/fd") end

--- Has each test use a place of its own, and leave no descriptor open. The arguments are busted's.
---@return spec.Place
function place.of_each_test(before_each, after_each, teardown)
  local here = setmetatable({}, Place)
  local made   -- the stores of a test that are still there
  local new_store = file.new
  function file.new(...)
    local store, mistake = new_store(...)
    made[#made + 1] = store
    return store, mistake
  end

  before_each(function()
    collectgarbage()
    collectgarbage()
    made = setmetatable({}, {__mode = "v"})
    here.descriptors = place.count_descriptors()
    here.parent = files.new_folder()
    here.dir = here.parent .. "/store"
  end)

  after_each(function()
    os.execute("chmod -R u+rwX '" .. here.parent .. "'; rm -rf '" .. here.parent .. "'")
    -- LuaJIT may find a store in a register that nobody uses any more: its lease has a descriptor.
    for _, store in pairs(made) do
      for _, held in pairs(store.held) do held.lease:close() end
    end
    collectgarbage()
    collectgarbage()
    local now = place.count_descriptors()
    assert(here.descriptors == now, ("%d descriptors, then %d"):format(here.descriptors, now))
  end)

  teardown(function() file.new = new_store end)
  return here
end

--- A store in the place.
function Place:store() return auth.store.file{dir = self.dir} end

--- A store that has the entry.
function Place:store_with_an_entry()
  local store = self:store()
  assert(store:put(place.NAME, "canary-token-sealed", 60) == true)
  return store
end

--- The entry's file, or one beside it.
function Place:path_of(suffix) return self.dir .. "/" .. place.NAME .. (suffix or "") end

--- Waits until a file is there: what a child has to say.
function Place:await(name)
  local path = self.parent .. "/" .. name
  sandbox.await("nothing at " .. path, function() return lfs.attributes(path) end,
    survive.seconds(10))
end

--- A child that takes the lease, says so in "holds", and lives until it is killed.
function Place:holder(seconds)
  local pid = process.fork(function()
    if not self:store():lease(place.NAME, "holder", seconds) then return false end
    files.write(self.parent .. "/holds", "")
    while true do core.sleep(60) end
  end)
  self:await "holds"
  return pid
end

--- Has another process lock a file; what is returned ends it.
---@param how string? what flock takes; -x by default
function Place:locked(path, how)
  local other = io.popen(("flock %s '%s' sh -c 'touch \"%s/locked\"; read line'"):format(
    how or "-x", path, self.parent), "w")
  self:await "locked"
  return function() other:close() end
end

return place
