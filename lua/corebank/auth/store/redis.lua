--- A store in Redis, for all clients that reach the server.
--
-- Redis's clock counts, because the clocks of hosts differ. An operation that compares and changes
-- is one script on the server. All keys of an entry have its name in braces, so that they are on
-- the same server of a cluster.

local client = require "corebank.auth.store.redis_client"
local core = require "corebank.auth.core"
local options = require "corebank.auth.store.redis_options"
local rest = require "corebank.auth.store.rest"
local try = require "corebank.auth.store.try"

local TURN_KEPT = 8 * 86400   -- seconds; no token lives longer

-- The bytes and how long they are kept, in one reply: two replies could be about two entries.
local GET = "return {redis.call('GET',KEYS[1]),redis.call('PTTL',KEYS[1])}"

local TIME = "return redis.call('TIME')"

-- Each new owner of the lease has a turn with a higher number. When a later turn has begun, what an
-- owner puts is dropped. So are bytes that would replace others than the named ones.
-- The end is a moment, not a time span: a server that was stopped runs the script only when it
-- continues.
local PUT = [[
local turn = tonumber(redis.call('GET',KEYS[2]) or 0) or 0
if ARGV[3] ~= '' and turn > tonumber(ARGV[3]) then return 0 end
if ARGV[5] ~= '' then
  local there = redis.call('GET',KEYS[1])
  if there and there ~= ARGV[5] then return 0 end
end
redis.call('SET',KEYS[1],ARGV[1])
redis.call('PEXPIREAT',KEYS[1],ARGV[2])
if redis.call('GET',KEYS[3]) == ARGV[4] then redis.call('DEL',KEYS[3]) end
return 1]]

local DELETE = "redis.call('DEL',KEYS[1]) return 1"

-- Returns the turn and the server's time, for the `put` that follows; 0 if another owner has the
-- lease. A lease has no more time left than the longest gets, unless the server's clock went back.
local LEASE = [[
local owner = redis.call('GET',KEYS[1])
local left = redis.call('PTTL',KEYS[1])
if left < 0 or left > tonumber(ARGV[4]) then owner = false end
if owner and owner ~= ARGV[1] then return {0} end
redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2])
if not owner then redis.call('INCR',KEYS[2]) end
redis.call('PEXPIRE',KEYS[2],ARGV[3])
local time = redis.call('TIME')
return {tonumber(redis.call('GET',KEYS[2]) or 0),time[1],time[2]}]]

local RELEASE = [[
if redis.call('GET',KEYS[1]) == ARGV[1] then redis.call('DEL',KEYS[1]) end
return 1]]

---@class corebank.auth.RedisStore: corebank.auth.Store
local Redis = {name = "redis", waits = true}
Redis.__index = Redis
Redis.__metatable = false

--- Other hosts cannot see that an owner died. So leases are short, and their owners renew them.
Redis.longestLease = 3

-- Not in fields of the store, so that a dump of the store shows no password.
local settings_of = setmetatable({}, {__mode = "k"})

-- Without an exponent or a point, on every Lua. On some of them "%d" has 32 bits only.
local function milliseconds(seconds)
  return ("%.0f"):format(math.max(1, math.floor(seconds * 1000)))
end

local function keys_of(self, name)
  local entry = ("%s{%s}"):format(settings_of[self].prefix, name)
  return entry, entry .. ":lease", entry .. ":turn"
end

local function key_of(name, owner) return name .. " " .. owner end

-- Runs a script. A server that gives another kind of reply is not Redis.
local function ask(eval, kind, ...)
  local reply, fault = eval(...)
  if reply ~= nil and type(reply) ~= kind then return nil, "an unexpected reply" end
  return reply, fault or reply == nil and "no reply" or nil
end

-- Runs one operation. During the pause after a failure it returns nil at once.
local function run(self, work)
  local objection = client.objection()
  if objection then return nil, objection end
  if not self.rest:may_ask() then return nil end
  local began = self.system.boot()
  local ok, reply, fault = try(client.run, settings_of[self], work)
  if not ok then reply, fault = nil, "it raised an error" end
  if not fault then
    self.rest:succeeded()
    return reply
  end
  fault = self.rest:failed(began, "redis: " .. fault)
  return nil, fault
end

--- The comments in store/memory.lua describe the methods of every store.
function Redis:get(name)
  local entry = keys_of(self, name)
  local reply, fault = run(self, function(eval) return ask(eval, "table", GET, 1, entry) end)
  if reply == nil then return nil, fault end
  local bytes, left = reply[1], reply[2]
  if left == -2 then return nil end   -- there is none
  if type(bytes) ~= "string" or left < 0 then return nil, "redis: an entry that never ends" end
  return bytes, nil, left / 1000
end

-- How many seconds the server's clock is ahead of the boot clock, by the time that the server has
-- just sent. The result is never too large, so that entries end too early rather than too late.
local function ahead_of_us(self, seconds, microseconds)
  return tonumber(seconds) + tonumber(microseconds) / 1e6 - self.system.boot()
end

-- Asks the server for its time, unless that came with the lease.
local function clock_of(self, eval, lease, entry)
  if lease.ahead then return lease.ahead end
  local time, fault = ask(eval, "table", TIME, 1, entry)
  if time == nil then return nil, fault end
  return ahead_of_us(self, time[1], time[2])
end

local NO_LEASE = {}

function Redis:put(name, bytes, seconds, owner, instead)
  local ends, key = self.system.boot() + seconds, owner and key_of(name, owner)
  local lease = self.leases[key] or NO_LEASE
  local entry, leased, turns = keys_of(self, name)
  local done, fault = run(self, function(eval)
    local ahead, trouble = clock_of(self, eval, lease, entry)
    if not ahead then return nil, trouble end
    return ask(eval, "number", PUT, 3, entry, turns, leased, bytes, milliseconds(ends + ahead),
      lease.turn or "", owner or "", instead or "")
  end)
  if done == nil then return nil, fault end
  if done == 0 then return false end
  if owner then self.leases[key] = nil end
  return true
end

function Redis:delete(name)
  local entry = keys_of(self, name)
  local done, fault = run(self, function(eval) return ask(eval, "number", DELETE, 1, entry) end)
  return done ~= nil or nil, fault
end

--- A lease lasts `longestLease` seconds at most.
function Redis:lease(name, owner, seconds)
  local _, leased, turns = keys_of(self, name)
  local key = key_of(name, owner)
  seconds = math.min(seconds, self.longestLease)
  self.leases[key] = self.leases[key] or NO_LEASE   -- it may be ours even if the reply is lost
  local reply, fault = run(self, function(eval)
    return ask(eval, "table", LEASE, 2, leased, turns, owner, milliseconds(seconds),
      milliseconds(TURN_KEPT), milliseconds(self.longestLease))
  end)
  if reply == nil then return nil, fault end
  self.leases[key] = nil
  if reply[1] == 0 then return false end
  self.leases[key] = {turn = ("%d"):format(reply[1]),
    ahead = ahead_of_us(self, reply[2], reply[3])}
  return true
end

--- Does not ask the server if `put` has ended the lease already.
function Redis:release(name, owner)
  local key = key_of(name, owner)
  if not self.leases[key] then return true end
  self.leases[key] = nil
  local _, leased = keys_of(self, name)
  local done, fault = run(self, function(eval)
    return ask(eval, "number", RELEASE, 1, leased, owner)
  end)
  return done ~= nil or nil, fault
end

local redis = {}

--- Makes a store. It connects to the server only when it is used.
---@param given corebank.auth.RedisOptions?
---@param system table? boot and random; default: the core's
---@return corebank.auth.RedisStore?
---@return string? mistake
function redis.new(given, system)
  local read, mistake = options.read(given)
  if not read then return nil, mistake end
  system = system or core
  local self = setmetatable({system = system, rest = rest.new(system.boot, system.random),
    leases = {}}, Redis)
  settings_of[self] = read
  return self
end

return redis
