--- The bank of each configuration that a gateway passes to its plugin.
--
-- A gateway makes new tables for the same configuration, and changes values in a table that it has
-- passed before. So each call compares the values with those of the previous call. If a value
-- differs, the bank is looked up again.

local clients = require "corebank.auth.gateway.clients"
local configuration = require "corebank.auth.gateway.configuration"
local content = require "corebank.auth.gateway.content"
local core = require "corebank.auth.core"
local fields = require "corebank.auth.gateway.fields"
local layered = require "corebank.auth.store.layered"
local log = require "corebank.auth.gateway.log"
local own = require "corebank.auth.gateway.options"
local redis = require "corebank.auth.store.redis"
local shdict = require "corebank.auth.store.shdict"

local ngx = ngx

local WHERE = "plugin corebank-auth"
local NAMELESS = "corebank-auth"   -- the bank of a configuration without a name and a host
local RETRY = 2   -- seconds until a configuration with a mistake is read again

---@class corebank.auth.gateway.Slot
---@field seen table the values when the bank was looked up
---@field bank corebank.auth.gateway.Bank without a client, if there is a mistake
---@field retryAt number? when a configuration with a mistake is read again, on the boot clock
---@field isHeld boolean? whether the slot holds the bank, also without requests
---@field tokenHeader string?
---@field scheme string?
---@field rejects table<integer, boolean>?

local slots = {}

-- ---- the options of setup ----------------------------------------------------------------------

local stores = setmetatable({}, {__mode = "v"})   -- by the key of `redis` and `dict`

-- The store in Redis, layered with the dict if there is one; or nil and what is wrong.
local function new_store(given, dict)
  local far, mistake = redis.new(given)
  if not far or not dict then return far, mistake end
  local near
  near, mistake = shdict.new(dict)
  return near and layered.new(near, far), mistake
end

local function store_of(given, dict)
  local copy = {}
  for _, field in ipairs(fields.redis) do copy[field.name] = given[field.name] end
  local key = content.key{redis = copy, dict = dict}
  if stores[key] then return stores[key] end
  local store, mistake = new_store(copy, dict)
  stores[key] = store
  return store, mistake
end

-- The dict for tokens and counters: that of the option `dict`, or the default dict; false if there
-- is none.
local function dict_of(values)
  local name = values.dict or own.DEFAULT_DICT
  if values.dict or ngx.shared[name] then return name end
  if not values.redis then log.no_dict(name) end
  return false
end

-- The bank's name, for values that may have mistakes.
local function name_of(values)
  local name = own.get({name = values.name}, "name", "")
  if name and name ~= "" then return name end
  local url = type(values.baseUrl) == "string" and core.url(values.baseUrl)
  return url and url.host:sub(1, own.LONGEST_NAME) or NAMELESS
end

-- The options of setup for these values; or nil and what is wrong.
local function setup_options(values)
  local given = {}
  for _, field in ipairs(fields.list) do
    if not field.isOfRequest then given[field.name] = values[field.name] end
  end
  given.dict, given.name = dict_of(values), name_of(values)
  if not given.redis then return given end
  local store, mistake = store_of(given.redis, given.dict)
  if not store then return nil, "redis: " .. mistake end
  given.redis, given.store = nil, store
  return given
end

-- ---- comparing ---------------------------------------------------------------------------------

local function is_same(value, seen)
  if type(value) ~= "table" or type(seen) ~= "table" then return false end
  for name, each in pairs(value) do
    if each ~= seen[name] and each ~= ngx.null and type(each) ~= "table" then return false end
  end
  for name in pairs(seen) do
    if value[name] == nil then return false end
  end
  return true
end

local function is_unchanged(slot, values)
  if slot.bank.gone or slot.retryAt and core.boot() >= slot.retryAt then
    return false
  end
  local seen, list = slot.seen, fields.list
  for i = 1, #list do
    local name = list[i].name
    local value = values[name]
    if value == ngx.null then value = nil end
    if value ~= seen[name] and not is_same(value, seen[name]) then return false end
  end
  return true
end

-- ---- making ------------------------------------------------------------------------------------

local function read_request_options(slot, values)
  for _, field in ipairs(fields.list) do
    local value = values[field.name]
    if field.isOfRequest and value == nil then value = field.default end
    if field.isOfRequest then slot[field.name] = value end
  end
  local rejects = {}
  for _, status in pairs(slot.rejects) do rejects[status] = true end
  slot.rejects = rejects
end

-- The options of setup for a configuration; or nil and what is wrong.
local function read_configuration(slot, conf)
  local unresolved, values = configuration.unresolved(conf), slot.seen
  if unresolved then return nil, unresolved .. ": the gateway could not resolve the reference" end
  local mistake = configuration.mistake(values)
  if mistake then return nil, mistake end
  read_request_options(slot, values)
  return setup_options(values)
end

-- A configuration with a mistake has a bank, too: its requests are counted, and status() shows it.
local function new_slot(conf, isHeld)
  local slot = {isHeld = isHeld, seen = configuration.values(conf)}
  local given, mistake = read_configuration(slot, conf)
  if mistake then
    given = {name = name_of(slot.seen), dict = dict_of(slot.seen)}
    slot.retryAt = core.boot() + RETRY
  end
  local find = isHeld and clients.hold or clients.use
  slot.bank = find(given, WHERE, mistake)
  return slot
end

-- The slot needs its bank no longer. Other slots keep the bank open: they hold it, or use it again.
---@param next_slot corebank.auth.gateway.Slot? which takes its place
local function leave(slot, next_slot)
  local bank, wasHeld = slot.bank, slot.isHeld
  slot.isHeld = nil
  if not next_slot or next_slot.bank ~= bank then bank.unusedAt = 0 end
  if wasHeld then
    clients.release(bank)
  elseif not bank.client then
    clients.close_unused()
  end
end

local known = setmetatable({}, {__mode = "k"})   -- slots by the table of their configuration

--- The slot of a configuration, with the bank for its present values.
---@param conf table the gateway's table
---@param resolved table the same with all references resolved
---@return corebank.auth.gateway.Slot
function slots.get(conf, resolved)
  local old = known[conf]
  if old and is_unchanged(old, resolved) then return old end
  local slot = new_slot(resolved, old and old.isHeld)
  known[conf] = slot
  if old then leave(old, slot) end
  return slot
end

--- From now on, the bank of this configuration is held, also without requests.
function slots.hold(conf)
  local old = known[conf]
  known[conf] = new_slot(conf, true)
  if old then leave(old, known[conf]) end
end

--- Releases the bank of this configuration.
function slots.leave(conf)
  if known[conf] then leave(known[conf]) end
end

return slots
