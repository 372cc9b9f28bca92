--- What the plugins for Kong and APISIX do. Each of them gives the gateway's configuration to these
-- functions, and puts the result into the gateway's request or answer.
--
-- A gateway makes new tables for the same configuration, and changes values in a table that it has
-- given before. So each call compares the values with those of the call before, and looks for the
-- bank again when one differs.

local clients = require "corebank.auth.gateway.clients"
local configuration = require "corebank.auth.gateway.configuration"
local content = require "corebank.auth.gateway.content"
local core = require "corebank.auth.core"
local fields = require "corebank.auth.gateway.fields"
local layered = require "corebank.auth.store.layered"
local log = require "corebank.auth.gateway.log"
local own = require "corebank.auth.gateway.options"
local pulse = require "corebank.auth.gateway.pulse"
local redis = require "corebank.auth.store.redis"
local shdict = require "corebank.auth.store.shdict"
local use = require "corebank.auth.gateway.use"

local ngx = ngx

local WHERE = "plugin corebank-auth"
local UNAUTHENTICATED = "16"   -- a status of gRPC
local RETRY = 2                -- seconds until a configuration with a mistake is read again

---@class corebank.auth.gateway.Given
---@field bank corebank.auth.gateway.Bank
---@field token corebank.auth.Token which the request carries
---@field header string
---@field value string
---@field rejects table<integer, boolean>

local plugin = {}

-- ---- the bank of a configuration -------------------------------------------------------------

local stores = setmetatable({}, {__mode = "v"})   -- by the key of `redis` and `dict`

-- The store in Redis, behind the dict if there is one; or nil and what is wrong.
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

-- Where tokens and counters are shared. Without `dict` it is the usual one, if there is one.
local function dict_of(values)
  local name = values.dict or own.DEFAULT_DICT
  if values.dict or ngx.shared[name] then return name end
  if not values.redis then log.no_dict(name) end
  return false
end

-- What setup takes; or nil and what is wrong.
local function setup_options(values)
  local given = {}
  for _, field in ipairs(fields.list) do
    if not field.isOfRequest then given[field.name] = values[field.name] end
  end
  given.dict = dict_of(values)
  given.name = values.name or core.url(values.baseUrl).host:sub(1, own.LONGEST_NAME)
  if not given.redis then return given end
  local store, mistake = store_of(given.redis, given.dict)
  if not store then return nil, "redis: " .. mistake end
  given.redis, given.store = nil, store
  return given
end

-- What was found out about a table: `seen` (its values then), `bank` or `mistake`, `tokenHeader`,
-- `scheme`, `rejects`, `isHeld`, `retryAt`.
local slots = setmetatable({}, {__mode = "k"})

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
  if slot.bank and slot.bank.gone or slot.retryAt and core.boot() >= slot.retryAt then
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

-- Returns what is wrong.
local function find_bank(slot, values)
  local unresolved = configuration.unresolved(values)
  if unresolved then return unresolved .. ": the gateway could not resolve the reference" end
  local mistake = configuration.mistake(values)
  if mistake then return mistake end
  read_request_options(slot, values)
  local given, fault = setup_options(values)
  if not given then return fault end
  local find = slot.isHeld and clients.hold or clients.use
  slot.bank = find(given, WHERE)
end

local function new_slot(conf, isHeld)
  local slot = {isHeld = isHeld, seen = configuration.values(conf)}
  slot.mistake = find_bank(slot, slot.seen)
  if slot.mistake then
    log.plugin(slot.mistake)
    slot.retryAt = core.boot() + RETRY
  end
  return slot
end

-- A slot needs its bank no longer. Who else uses the bank holds it, or uses it again.
local function leave(slot)
  if not slot.bank then return end
  slot.bank.unusedAt = 0
  if slot.isHeld then clients.release(slot.bank) end
  slot.isHeld = nil
end

-- What is known of a configuration, looked for again if a value has changed.
local function slot_of(conf, resolved)
  local old = slots[conf]
  if old and is_unchanged(old, resolved) then return old end
  local slot = new_slot(resolved, old and old.isHeld)
  slots[conf] = slot
  if old then leave(old) end
  return slot
end

-- ---- what a gateway calls ----------------------------------------------------------------------

local function get_token(bank)
  local ok, token, _, problem = pcall(bank.client.token, bank.client)
  if ok then return token, problem end
  log.fault(bank, "a request", token)
end

--- A token for a request.
---@param conf table the gateway's table
---@param resolved table? the same with all references resolved
---@return corebank.auth.gateway.Given?
---@return integer? seconds for Retry-After
function plugin.token(conf, resolved)
  pulse.start()
  local token, problem
  for _ = 1, 2 do   -- again when it was closed meanwhile: a configuration has changed
    local slot = slot_of(conf, resolved or conf)
    local bank = slot.bank
    if not bank or not bank.client then return nil, use.refuse(bank) end
    clients.used(bank)
    token, problem = get_token(bank)
    if token then
      use.count_injected(bank)
      return {bank = bank, token = token, header = slot.tokenHeader, rejects = slot.rejects,
        value = use.value(token, slot.scheme)}
    end
    if not problem or problem.code ~= "closed" then return nil, use.refuse(bank, problem) end
  end
  return nil, use.refuse(nil, problem)
end

--- The upstream has answered.
---@param given corebank.auth.gateway.Given? what `token` gave
---@param status integer? the last upstream's
---@param grpc_status string?
function plugin.observe(given, status, grpc_status)
  if not given or not status or given.isRejected then return end
  if given.rejects[status] or grpc_status == UNAUTHENTICATED then
    given.isRejected = true
    use.reject(given.bank, given.token)
  end
end

local held = {}   -- the tables of the configurations whose tokens are kept without requests

--- From now on the tokens of these configurations are kept, and of no others that were held before.
---@param configurations table[]
function plugin.hold(configurations)
  pulse.start()
  local former, isHeld = held, {}
  held = configurations
  for _, conf in ipairs(held) do
    local old = slots[conf]
    isHeld[conf], slots[conf] = true, new_slot(conf, true)
    if old then leave(old) end
  end
  for _, conf in ipairs(former) do
    if not isHeld[conf] and slots[conf] then leave(slots[conf]) end
  end
end

-- A vault may change a secret without a request.
pulse.before_beat(function()
  for _, conf in ipairs(held) do slot_of(conf, conf) end
end)

--- Closes the banks that only requests have used.
plugin.drop = clients.drop

--- Starts the timer that keeps the tokens fresh.
plugin.start = pulse.start

return plugin
