--- The public module corebank.auth: gets and keeps the access token of a core-banking API.
--
-- It has the public functions only. Their work is done in the files of corebank/auth/.

local core = require "corebank.auth.core"
local choose_host = require "corebank.auth.host.choose"
local exchange = require "corebank.auth.exchange.exchange"
local json_options = require "corebank.auth.options.json"
local options = require "corebank.auth.options.read"
local secret = require "corebank.auth.options.secret"

local auth = {}

---@type string this library's version, e.g. "0.1.0"
auth.VERSION = core.VERSION

--- One line for a bug report: this library, its libraries with their versions, and the Lua.
---@return string
function auth.version()
  local curl, cjson, sodium = core.libraries()
  local lua = type(jit) == "table" and jit.version or _VERSION
  return ("corebank-auth %s (%s, cJSON %s, libsodium %s, %s)"):format(
    core.VERSION, curl:match("^%S+ %S+") or curl, cjson, sodium, lua)
end

--- Asks the bank for a token and waits for the answer, at most `timeout` seconds.
--
-- A mistake in `given` raises at the caller's level. Whatever the network or the bank does returns
-- nil, a message fit for assert and for a log, and the problem with its details.
---@param given corebank.auth.Options
---@return corebank.auth.Token? token
---@return string? message
---@return corebank.auth.Problem? problem
function auth.authenticate(given)
  local host, unable = choose_host()
  unable = unable or host.may_wait()
  if unable then error("authenticate: " .. unable, 2) end
  local settings, mistake = options.read(given)
  if not settings then error("authenticate: " .. mistake, 2) end
  -- However the call ends (Ctrl-C raises, too), what it made of the secret is wiped, and nothing is
  -- left that a later call would send on.
  local ok, token, message, problem = pcall(exchange.call, {settings = settings, system = core,
    host = host, tell = settings.onEvent})
  options.release(settings)
  if not ok then error(token, 0) end
  if token then return token end   -- alone, fit for table.insert
  return nil, message, problem
end

--- Asks for many tokens side by side, each as authenticate does, and waits for all of them. Besides
-- its own options it takes those that the elements share: an element gives only what differs.
--
-- A mistake in the options or in an element raises at the caller's level, before anything is sent.
-- An element that gets no token leaves the others alone; a handler that raises ends them all.
---@param list (corebank.auth.Options|corebank.auth.Client)[] of a client it is the client's token
---@param given corebank.auth.ManyOptions?
---@return corebank.auth.Result[] # one for each element, in the list's order
function auth.authenticateAll(list, given)
  local host, unable = choose_host()
  unable = unable or host.may_wait()
  if unable then error("authenticateAll: " .. unable, 2) end
  local authenticate_all = require "corebank.auth.client.many"   -- here: scripts mostly need one
  local results, mistake = authenticate_all(list, given, core, host)
  if not results then error("authenticateAll: " .. mistake, 2) end
  return results
end

--- Makes a client, which keeps a token. Nothing is sent before its first token().
--
-- A mistake in `given` raises at the caller's level.
---@param given corebank.auth.ClientOptions
---@return corebank.auth.Client
function auth.client(given)
  local host, unable = choose_host()
  if not host then error("client: " .. unable, 2) end
  local settings, mistake = options.read(given, true)
  if not settings then error("client: " .. mistake, 2) end
  -- Here: a script that needs one token reads less. And all that a client needs later on.
  local client = require "corebank.auth.client.client"
  require "corebank.auth.client.explain"
  require "corebank.auth.client.flight"
  local system = require "corebank.auth.host.system"
  return client.new(settings, system, host)
end

--- JSON's null, where nil would be no entry at all. It is the same value as that of lua-cjson.
auth.null = core.null

--- Marks a table as an array, which matters when it is empty: a bare {} is an object. Decoded
-- arrays are marked. Raises when it has a metatable of its own.
---@generic T: table
---@param list T
---@return T list the same table
function auth.array(list)
  if type(list) ~= "table" then error("array: a table is needed, not " .. type(list), 2) end
  local marked, mistake = core.json_array(list)
  if not marked then error("array: " .. mistake, 2) end
  return marked
end

auth.json = {}

--- Writes a value as JSON. What JSON cannot hold raises at the caller's level: the message has its
-- path, as value.amounts[3], and nothing of the value.
---@param value table|string|number|boolean|lightuserdata tables are read without metatables
---@return string
function auth.json.encode(value)
  local text, mistake = core.json_encode(value)
  if not text then error("json.encode: " .. mistake, 2) end
  return text
end

--- Reads JSON, as RFC 8259 has it. A number is taken only if a number of Lua's has that value, and
-- an object only if its names differ. A text that is not taken returns nil and the reason, with the
-- number of the byte and nothing of the text.
---@param text string
---@param given {bigNumbers: "string"?}? "string": a number that Lua cannot hold becomes its digits
---@return any value nil: it is not taken. JSON's null is auth.null, and false is false
---@return string? message
function auth.json.decode(text, given)
  local bigAsText, mistake = json_options(given)
  if type(text) ~= "string" then mistake = "a string is needed, not " .. type(text) end
  if mistake then error("json.decode: " .. mistake, 2) end
  return core.json_decode(text, bigAsText)
end

--- Secrets that never become Lua strings: auth.secret.file(path), auth.secret.env(name).
auth.secret = {file = secret.file, env = secret.env}

--- Where clients keep what they share; each is read when somebody asks for it.
auth.store = {}

--- Shared by the clients that are given it, within this Lua state.
---@return corebank.auth.Store
function auth.store.memory()
  return require "corebank.auth.store.memory".new()
end

--- Shared by all processes of the same user on this machine, in the folder `dir`. A mistake in
-- `given` raises at the caller's level; nothing is read or written yet.
---@param given {dir: string?}? default: $XDG_CACHE_HOME/corebank-auth or $HOME/.cache/corebank-auth
---@return corebank.auth.FileStore
function auth.store.file(given)
  local store, mistake = require "corebank.auth.store.file".new(given)
  if not store then error("store.file: " .. mistake, 2) end
  return store
end

--- Shared by all workers of an nginx, in the lua_shared_dict of that name. Raises when there is
-- none.
---@param dict string
---@return corebank.auth.Store
function auth.store.shdict(dict)
  local store, mistake = require "corebank.auth.store.shdict".new(dict)
  if not store then error("store.shdict: " .. mistake, 2) end
  return store
end

--- Shared by all who reach a Redis server: a fleet of hosts. A mistake in `given` raises at the
-- caller's level; no server is asked yet.
---@param given corebank.auth.RedisOptions?
---@return corebank.auth.RedisStore
function auth.store.redis(given)
  local store, mistake = require "corebank.auth.store.redis".new(given)
  if not store then error("store.redis: " .. mistake, 2) end
  return store
end

--- A store near by, such as an nginx's shared dict or a folder, before one that all hosts share,
-- such as Redis.
---@param near corebank.auth.Store
---@param far corebank.auth.Store
---@return corebank.auth.LayeredStore
function auth.store.layered(near, far)
  local check = require "corebank.auth.options.check"
  for i, store in ipairs{near or false, far or false} do
    local ok, mistake = check.store(store)
    if not ok then error(("store.layered: argument #%d %s"):format(i, mistake), 2) end
  end
  return require "corebank.auth.store.layered".new(near, far)
end

return auth
