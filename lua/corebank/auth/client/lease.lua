--- A client's lease of the token's entry in a store. Of all clients that share the store, the lease
-- owner asks the bank. The lease ends by itself when its owner dies.

local GRACE = 2   -- seconds by which it outlasts the time for which it is needed

---@class corebank.auth.Lease
local Lease = {}
Lease.__index = Lease
Lease.__metatable = false

-- A forked child is another owner.
local function owner(self)
  local pid = self.system.pid()
  if pid ~= self.pid then self.pid, self.owner = pid, ("%d.%s"):format(pid, self.id) end
  return self.owner
end

-- The name of the entry of which this process has the lease, or had it until the lease ended. After
-- a change of the secret, the entry has another name.
local function leased(self)
  return self.leasedBy == owner(self) and self.leased or nil
end

-- The seconds to ask for. A store may limit them; then the lease must be renewed.
local function length(self, ends)
  local seconds = ends - self.system.boot()
  return math.min(seconds, self.shared.store.longestLease or seconds)
end

--- Takes or renews the lease. If the store fails, the client acts as if it had the lease. It then
-- asks for the lease again at the next renewal, and releases it in any case.
---@param until_when number on the boot clock
---@param patient boolean as in corebank.auth.Store
---@return boolean # whether the client may act as the lease owner
function Lease:take(until_when, patient)
  local name = leased(self) or self.shared:name_of_entry()
  if not name then return false end
  local asked, seconds = self.system.boot(), length(self, until_when + GRACE)
  local got = self.shared:call("lease", name, owner(self), seconds, patient)
  if got ~= false then
    self.leased, self.leasedBy = name, owner(self)
    self.leasedUntil = got and asked + seconds or -math.huge
  else
    self.refusedAt = asked
  end
  return got ~= false
end

--- Whether another client had the lease less than so many seconds ago.
---@param seconds number
---@return boolean
function Lease:was_refused(seconds)
  return self.refusedAt ~= nil and self.system.boot() < self.refusedAt + seconds
end

--- Renews the lease, if the client has it and it may end before that time. If the store limits its
-- length, the lease is renewed when half of it is over.
---@param until_when number on the boot clock
function Lease:renew(until_when)
  local longest = self.shared.store.longestLease or math.huge
  local enough = math.min(until_when, self.system.boot() + longest / 2)
  if leased(self) and self.leasedUntil < enough then self:take(until_when, false) end
end

--- The owner's name, if the client has the lease.
---@return string?
function Lease:holder()
  return leased(self) and self.system.boot() < self.leasedUntil and self.leasedBy or nil
end

--- Releases the lease, if the client has it.
function Lease:release()
  local name = leased(self)
  self.leased = nil
  if name then self.shared:call("release", name, self.leasedBy) end
end

local lease = {}

---@param shared corebank.auth.Shared
---@param system table boot, pid, random
---@return corebank.auth.Lease
function lease.new(shared, system)
  return setmetatable({shared = shared, system = system,
    id = ("%08x"):format(math.floor(system.random() * 2 ^ 32))}, Lease)
end

return lease
