--- A store within one Lua state. The comments on its methods are the contract of all stores.

local core = require "corebank.auth.core"

local LEAST_SWEPT = 16   -- records; fewer are not swept

-- ---- records that end --------------------------------------------------------------------------

local Shelf = {}
Shelf.__index = Shelf

local function new_shelf(clock)
  return setmetatable({clock = clock, records = {}, count = 0, sweepAt = LEAST_SWEPT}, Shelf)
end

function Shelf:get(name)
  local record = self.records[name]
  if record and record.ends > self.clock() then return record.value end
end

function Shelf:remove(name)
  if self.records[name] then self.count = self.count - 1 end
  self.records[name] = nil
end

-- Forgets what has ended. The next sweep is due at twice the records that remain, so that a record
-- costs the same however many there are.
function Shelf:sweep()
  for name in pairs(self.records) do
    if not self:get(name) then self:remove(name) end
  end
  self.sweepAt = math.max(LEAST_SWEPT, 2 * self.count)
end

function Shelf:put(name, value, seconds)
  if self.count >= self.sweepAt then self:sweep() end
  if not self.records[name] then self.count = self.count + 1 end
  self.records[name] = {value = value, ends = self.clock() + seconds}
end

-- ---- the store ---------------------------------------------------------------------------------

---@class corebank.auth.Store
---@field name string "memory", "file" …, for events
---@field waits boolean? whether a method may wait, for a socket
---@field hasCopies boolean? whether `get` may return a copy, unless its argument `anew` is true
---@field longestLease number? seconds that a lease lasts at most, where it must be renewed
local Memory = {name = "memory"}
Memory.__index = Memory
Memory.__metatable = false

-- Not fields of the store: a dump of it does not show what it holds.
local entries = setmetatable({}, {__mode = "k"})
local leases = setmetatable({}, {__mode = "k"})

--- What is kept under a name.
---@param name string
---@param anew boolean? whether a copy that is kept nearer by will not do
---@return string? bytes nil when there is nothing
---@return string? fault why it could not be read; beside bytes a remark
---@return number? left seconds for which it is kept, where the clock of the store is to count and
--- not those of its users
function Memory:get(name)
  return entries[self]:get(name)
end

--- Keeps bytes under a name, in place of what was there.
---@param name string
---@param bytes string
---@param seconds number after which the store may forget them
---@param owner string? who puts it, if that is the owner of the lease. The store may give the lease
--- back in the same step; `release` is called in any case
---@param instead string? the bytes that the new ones replace. A store that can compare in the same
--- step keeps other bytes that it has by now, and returns false
---@return boolean? done false when an owner of a later lease has put something else
---@return string? fault why not; beside `true` or `false` (in `delete` and `lease`, too) a remark
function Memory:put(name, bytes, seconds, _, instead)
  local there = entries[self]:get(name)
  if instead and there and there ~= instead then return false end
  entries[self]:put(name, bytes, seconds)
  return true
end

--- Forgets what is kept under a name, if anything is.
---@param name string
---@return true? done
---@return string? fault
function Memory:delete(name)
  entries[self]:remove(name)
  return true
end

--- Asks for the lease of a name, or extends it when the owner has it. It ends after `seconds` at
-- the latest.
--
-- Stores that see an owner's process die end its lease at once. With one more argument, `patient`,
-- a caller that can do without leaves such a lease to its end. In this store all owners are one
-- process.
---@param name string
---@param owner string who asks; a word that nobody else uses
---@param seconds number
---@return boolean? granted false when it is another owner's
---@return string? fault
function Memory:lease(name, owner, seconds)
  local holder = leases[self]:get(name)
  if holder and holder ~= owner then return false end
  leases[self]:put(name, owner, seconds)
  return true
end

--- Gives a lease back, if the owner has it.
---@param name string
---@param owner string
---@return true? done
---@return string? fault
function Memory:release(name, owner)
  if leases[self]:get(name) == owner then leases[self]:remove(name) end
  return true
end

local memory = {}

--- Makes a store.
---@param clock fun(): number? seconds; default: the boot clock
---@return corebank.auth.Store
function memory.new(clock)
  local self = setmetatable({}, Memory)
  entries[self], leases[self] = new_shelf(clock or core.boot), new_shelf(clock or core.boot)
  return self
end

return memory
