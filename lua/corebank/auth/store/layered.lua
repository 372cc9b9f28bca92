--- Two stores as one: a near store, which the programs of one host share, and a far store, which
-- all hosts share. The far store is asked only for what the near store does not have.
--
-- The near store has copies of the far store's entries. A copy begins with a line that says until
-- when it is kept, on both clocks of this host. The time counts from before the far store was
-- asked, and the clock that reaches it first ends the copy. A copy from before the machine's last
-- start is ignored.
--
-- A lease is taken from the near store first, so one program of a host at a time asks the far
-- store.

local core = require "corebank.auth.core"

---@class corebank.auth.LayeredStore: corebank.auth.Store
local Layered = {name = "layered", hasCopies = true}
Layered.__index = Layered
Layered.__metatable = false

local function copy_of(self, bytes, seconds)
  local system = self.system
  -- Before Lua 5.3 a "%s" ends at a NUL byte.
  return ("%s %.0f %.0f\n"):format(system.session() or "", (system.boot() + seconds) * 1000,
    (system.wall() + seconds) * 1000) .. bytes
end

-- The bytes of a copy, and the seconds for which they are still kept.
local function read_copy(self, copy)
  local system, line_ends = self.system, copy:find("\n", 1, true)
  if not line_ends then return nil end
  local session, ends, ends_wall = copy:sub(1, line_ends - 1):match "^(.*) (%d+) (%d+)$"
  if session ~= (system.session() or "") then return nil end
  local left = math.min(ends / 1000 - system.boot(), ends_wall / 1000 - system.wall())
  if left > 0 then return copy:sub(line_ends + 1), left end
end

local function in_near(self, name)
  local copy, fault = self.near:get(name)
  if copy == nil then return nil, fault end
  local bytes, left = read_copy(self, copy)
  return bytes, nil, left
end

--- See store/memory.lua for what every store's methods take and give. With `anew` the far store is
-- asked first, and the near one when that has nothing or fails.
function Layered:get(name, anew)
  local bytes, fault, left, trouble
  if not anew then bytes, fault, left = in_near(self, name) end
  if bytes then return bytes, fault, left end
  local asked = self.system.boot()
  bytes, trouble, left = self.far:get(name, anew)
  fault = trouble or fault
  if not bytes and anew then
    bytes, trouble, left = in_near(self, name)
    return bytes, fault or trouble, left
  end
  local for_copy = left and left - (self.system.boot() - asked)
  if for_copy and for_copy > 0 then
    local _, full = self.near:put(name, copy_of(self, bytes, for_copy), for_copy)
    fault = fault or full
  end
  return bytes, fault, left
end

function Layered:put(name, bytes, seconds, owner, instead)
  local done, fault = self.far:put(name, bytes, seconds, owner, instead)
  local _, trouble
  if done == false then   -- somebody has put something later there
    _, trouble = self.near:delete(name)
  else
    _, trouble = self.near:put(name, copy_of(self, bytes, seconds), seconds, owner)
  end
  return done, fault or trouble
end

function Layered:delete(name)
  local near_done, near_fault = self.near:delete(name)
  local far_done, far_fault = self.far:delete(name)
  return near_done and far_done, far_fault or near_fault
end

--- When the far store fails, the near one decides: then one program of each host has the lease.
function Layered:lease(name, owner, seconds, patient)
  local near_granted, near_fault = self.near:lease(name, owner, seconds, patient)
  if near_granted == false then return false end
  local granted, fault = self.far:lease(name, owner, seconds, patient)
  if granted == nil then granted = near_granted end
  if not granted and near_granted then self.near:release(name, owner) end
  return granted, fault or near_fault
end

function Layered:release(name, owner)
  local far_done, far_fault = self.far:release(name, owner)
  local near_done, near_fault = self.near:release(name, owner)
  return near_done and far_done, far_fault or near_fault
end

local layered = {}

-- The shorter of two; nil when there is none.
local function shorter(one, other)
  return one and other and math.min(one, other) or one or other
end

--- Makes a store.
---@param near corebank.auth.Store
---@param far corebank.auth.Store one that says how long it keeps an entry: no other is copied
---@param system table? boot, wall and session; default: the core's
---@return corebank.auth.LayeredStore
function layered.new(near, far, system)
  return setmetatable({near = near, far = far, system = system or core,
    waits = near.waits or far.waits,
    longestLease = shorter(near.longestLease, far.longestLease)}, Layered)
end

return layered
