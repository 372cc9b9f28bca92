--- A store within one Lua state: what every store does, in the fewest words.

local core = require "corebank.auth.core"

local LEAST_SWEPT = 16   -- records; fewer are not worth a look

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

-- Forgets what has ended. Whenever there are twice as many as were left the last time, so that a
-- record costs the same however many there are.
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
local Memory = {name = "memory"}
Memory.__index = Memory
Memory.__metatable = false

-- Not in the store's own fields: no dump of it shows what it holds.
local entries = setmetatable({}, {__mode = "k"})
local leases = setmetatable({}, {__mode = "k"})

--- What is kept under a name.
---@param name string
---@return string? bytes nil when there is nothing
---@return string? fault why it cannot be told, in stores where that happens
function Memory:get(name)
  return entries[self]:get(name)
end

--- Keeps bytes under a name, in place of what was there.
---@param name string
---@param bytes string
---@param seconds number they are of no use later; the store may forget them then
---@return true? done
---@return string? fault why not; beside `true`, in `delete` and `lease` too, what was in the way
function Memory:put(name, bytes, seconds)
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

--- Asks for the lease of a name, or for more time when the owner has it. It ends after `seconds`,
-- whatever becomes of its owner.
--
-- Who can do without says `true` as one more argument, `patient`: a lease whose owner has died then
-- counts until its end. Nobody dies alone in here, so it makes no difference.
---@param name string
---@param owner string who asks; nobody else may use the same word
---@param seconds number
---@return boolean? granted false when it is somebody else's
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
