--- A store in Redis: shared by all who reach that server.
--
-- Redis's clock counts, for the clocks of hosts differ. What compares and changes is one script on
-- the server. A credential's keys have the entry's name in braces: they lie in one part of a
-- cluster.

local client = require "corebank.auth.store.redis_client"
local core = require "corebank.auth.core"
local options = require "corebank.auth.store.redis_options"
local rest = require "corebank.auth.store.rest"
local try = require "corebank.auth.store.try"

local TURN_KEPT = 8 * 86400   -- seconds; no token lives longer

-- The bytes and how long they are kept, in one reply: two may be of two entries.
local GET = "return {redis.call('GET',KEYS[1]),redis.call('PTTL',KEYS[1])}"

local TIME = "return redis.call('TIME')"

-- Each new owner of the lease has a turn with a higher number. What an owner puts after a later
-- turn began is dropped. The end is a moment, not a time span: a server that stands still runs this
-- when it goes on.
local PUT = [[
local turn = tonumber(redis.call('GET',KEYS[2]) or 0) or 0
if ARGV[3] ~= '' and turn > tonumber(ARGV[3]) then return 0 end
redis.call('SET',KEYS[1],ARGV[1])
redis.call('PEXPIREAT',KEYS[1],ARGV[2])
return 1]]

local DELETE = "redis.call('DEL',KEYS[1]) return 1"

local LEASE = [[
local owner = redis.call('GET',KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2])
if not owner then redis.call('INCR',KEYS[2]) end
redis.call('PEXPIRE',KEYS[2],ARGV[3])
return tonumber(redis.call('GET',KEYS[2]) or 0)]]

local RELEASE = [[
if redis.call('GET',KEYS[1]) == ARGV[1] then redis.call('DEL',KEYS[1]) end
return 1]]

---@class corebank.auth.RedisStore: corebank.auth.Store
local Redis = {name = "redis", waits = true}
Redis.__index = Redis
Redis.__metatable = false

--- Nobody sees an owner die on another host: its lease is short, and it is renewed.
Redis.longestLease = 3

-- Not fields of the store: a dump of it shows no password.
local settings_of = setmetatable({}, {__mode = "k"})

-- Without an exponent or a decimal point, on every Lua; "%d" would be 32 bits wide on some.
local function milliseconds(seconds)
  return ("%.0f"):format(math.max(1, math.floor(seconds * 1000)))
end

local function keys_of(self, name)
  local entry = ("%s{%s}"):format(settings_of[self].prefix, name)
  return entry, entry .. ":lease", entry .. ":turn"
end

-- Runs a script. Whoever gives another kind of reply is no Redis.
local function ask(eval, kind, ...)
  local reply, fault = eval(...)
  if reply ~= nil and type(reply) ~= kind then return nil, "an unexpected reply" end
  return reply, fault or reply == nil and "no reply" or nil
end

-- One operation; nothing while the server is left alone.
local function run(self, work)
  local objection = client.objection()
  if objection then return nil, objection end
  if not self.rest:may_ask() then return nil end
  local began = core.boot()
  local ok, reply, fault = try(client.run, settings_of[self], work)
  if not ok then reply, fault = nil, "it raised an error" end
  if not fault then
    self.rest:succeeded()
    return reply
  end
  fault = self.rest:failed(began, "redis: " .. fault)
  return nil, fault
end

--- See store/memory.lua for what every store's methods take and give.
function Redis:get(name)
  local entry = keys_of(self, name)
  local reply, fault = run(self, function(eval) return ask(eval, "table", GET, 1, entry) end)
  if reply == nil then return nil, fault end
  local bytes, left = reply[1], reply[2]
  if left == -2 then return nil end   -- there is none
  if type(bytes) ~= "string" or left < 0 then return nil, "redis: an entry that never ends" end
  return bytes, nil, left / 1000
end

-- The server's clock, in milliseconds.
local function time_there(eval, entry)
  local reply, fault = ask(eval, "table", TIME, 1, entry)
  if reply == nil then return nil, fault end
  return tonumber(reply[1]) * 1000 + math.floor(tonumber(reply[2]) / 1000)
end

function Redis:put(name, bytes, seconds)
  local ends, turn = core.boot() + seconds, self.turns[name]
  local entry, _, turns = keys_of(self, name)
  local done, fault = run(self, function(eval)
    local now, trouble = time_there(eval, entry)
    if not now then return nil, trouble end
    local ends_there = now / 1000 + ends - core.boot()
    return ask(eval, "number", PUT, 2, entry, turns, bytes, milliseconds(ends_there), turn or "")
  end)
  return done ~= nil or nil, fault
end

function Redis:delete(name)
  local entry = keys_of(self, name)
  local done, fault = run(self, function(eval) return ask(eval, "number", DELETE, 1, entry) end)
  return done ~= nil or nil, fault
end

--- A lease lasts `longestLease` seconds at most.
function Redis:lease(name, owner, seconds)
  local _, lease, turns = keys_of(self, name)
  seconds = math.min(seconds, self.longestLease)
  local turn, fault = run(self, function(eval)
    return ask(eval, "number", LEASE, 2, lease, turns, owner, milliseconds(seconds),
      milliseconds(TURN_KEPT))
  end)
  if turn == nil then return nil, fault end
  if turn > 0 then self.turns[name] = ("%d"):format(turn) end
  return turn > 0
end

function Redis:release(name, owner)
  local _, lease = keys_of(self, name)
  self.turns[name] = nil
  local done, fault = run(self, function(eval)
    return ask(eval, "number", RELEASE, 1, lease, owner)
  end)
  return done ~= nil or nil, fault
end

local redis = {}

--- Makes a store. No server is asked before it is used.
---@param given corebank.auth.RedisOptions?
---@return corebank.auth.RedisStore?
---@return string? mistake
function redis.new(given)
  local read, mistake = options.read(given)
  if not read then return nil, mistake end
  local self = setmetatable({rest = rest.new(core.boot, core.random), turns = {}}, Redis)
  settings_of[self] = read
  return self
end

return redis
