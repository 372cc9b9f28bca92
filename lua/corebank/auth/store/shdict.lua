--- A store in a lua_shared_dict: shared by all workers of an nginx.
--
-- Only the "safe" calls of the dict are used: a full dict refuses a new entry and keeps valid ones.

-- What keys begin with, so that entries and leases of one name are apart.
local ENTRY, LEASE, HEIR = "entry:", "lease:", "heir:"

local LEAST_LEFT = 0.05   -- seconds; a lease that ends sooner is not given back

---@class corebank.auth.ShdictStore: corebank.auth.Store
local Shdict = {name = "shdict"}
Shdict.__index = Shdict
Shdict.__metatable = false

--- See store/memory.lua for what every store's methods take and give.
function Shdict:get(name)
  local bytes, fault = self.dict:get(ENTRY .. name)
  if bytes == nil then return nil, fault end
  if type(bytes) ~= "string" then return nil, "an entry is a " .. type(bytes) end
  return bytes
end

function Shdict:put(name, bytes, seconds)
  if seconds <= 0 then return true end   -- 0 would mean "for ever" to the dict
  local ok, fault = self.dict:safe_set(ENTRY .. name, bytes, seconds)
  if not ok then return nil, fault end
  return true
end

function Shdict:delete(name)
  self.dict:delete(ENTRY .. name)
  return true
end

-- kill(2) with this signal sends nothing: it tells whether the process is there.
local NO_SIGNAL, NO_SUCH_PROCESS = 0, 3

-- An owner's name begins with its process: "PID.anything". A process that may not be asked about
-- counts as alive.
local function is_dead(owner)
  local pid = tonumber(tostring(owner):match "^(%d+)%.")
  if not pid or pid == 0 then return false end
  local ffi = require "ffi"
  pcall(ffi.cdef, "int kill(int pid, int signal);")
  return ffi.C.kill(pid, NO_SIGNAL) ~= 0 and ffi.errno() == NO_SUCH_PROCESS
end

-- Removes the lease of a dead owner. The dict cannot compare and delete in one step, so only the
-- worker that was the first to add the owner's heir key does it.
local function bury(self, name, owner, seconds)
  if not self.dict:safe_add(("%s%s:%s"):format(HEIR, name, owner), true, seconds) then return end
  local key = LEASE .. name
  if self.dict:get(key) == owner then self.dict:delete(key) end
end

--- A lease also ends with its owner's process.
function Shdict:lease(name, owner, seconds)
  local key = LEASE .. name
  local ok, fault = self.dict:safe_add(key, owner, seconds)
  if ok then return true end
  if fault ~= "exists" then return nil, fault end
  local holder = self.dict:get(key)
  if holder ~= owner and is_dead(holder) then
    bury(self, name, holder, seconds)
    return self.dict:safe_add(key, owner, seconds) == true
  end
  if holder ~= owner then return false end
  -- Not set anew: if the lease has ended meanwhile, that could overwrite the next owner's.
  return self.dict:expire(key, seconds) == true
end

--- Gives back the owner's lease. The dict cannot compare and delete in one step, so a lease that
-- may end between the two is left to end.
function Shdict:release(name, owner)
  local key = LEASE .. name
  if self.dict:get(key) ~= owner then return true end
  local left = self.dict:ttl(key)
  if left and left > LEAST_LEFT then self.dict:delete(key) end
  return true
end

local shdict = {}

--- The store in the lua_shared_dict of that name.
---@param name string
---@return corebank.auth.Store?
---@return string? mistake
function shdict.new(name)
  if type(name) ~= "string" then
    return nil, "the name of a lua_shared_dict is needed, not " .. type(name)
  end
  if not ngx then return nil, "a lua_shared_dict is there in nginx only" end
  local dict = ngx.shared[name]
  if not dict then
    return nil, ("nginx.conf has no lua_shared_dict %s; add `lua_shared_dict %s 1m;` to its http "
      .. "block"):format(name, name)
  end
  return setmetatable({dict = dict}, Shdict)
end

return shdict
