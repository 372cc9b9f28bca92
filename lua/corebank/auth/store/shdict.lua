--- A store in a lua_shared_dict: what one worker of an nginx fetched, all its workers have.
--
-- Two kinds of keys, entries and leases, so that no name of one can meet one of the other. Only the
-- "safe" calls of the dict are used: a full one turns us away rather than push out what is valid.

local ENTRY, LEASE = "entry:", "lease:"
local LEAST_LEFT = 0.05   -- seconds; a lease that is about to end is left to end by itself

---@class corebank.auth.store.Shdict
local Shdict = {name = "shdict"}
Shdict.__index = Shdict
Shdict.__metatable = false

---@param name string
---@return string? bytes nil when there are none, and a fault when that cannot be told
---@return string? fault
function Shdict:get(name)
  local bytes, fault = self.dict:get(ENTRY .. name)
  if bytes == nil then return nil, fault end
  if type(bytes) ~= "string" then return nil, "an entry is a " .. type(bytes) end
  return bytes
end

---@param seconds number after which it is of no use any more
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

--- True: it is the caller's now. False: it is somebody else's.
---@return boolean? # nil, and a fault, when that cannot be told
---@return string? fault
function Shdict:lease(name, owner, seconds)
  local key = LEASE .. name
  local ok, fault = self.dict:safe_add(key, owner, seconds)
  if ok then return true end
  if fault ~= "exists" then return nil, fault end
  if self.dict:get(key) ~= owner then return false end
  -- Not a new value: had it ended meanwhile, that could overwrite the lease of the next one.
  return self.dict:expire(key, seconds) == true
end

--- Gives back the owner's lease, nobody else's. The dict cannot compare and delete in one step, so
-- a lease that may end between the two is not touched.
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
