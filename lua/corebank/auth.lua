--- The access token of a core-banking API: fetched once and right.
--
-- This file is the public face; each job behind it has a file of its own in corebank/auth/.

local core = require "corebank.auth.core"
local blocking = require "corebank.auth.host.blocking"
local client = require "corebank.auth.client"
local exchange = require "corebank.auth.exchange"
local options = require "corebank.auth.options"

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

-- However a call ends, what it made of the secret is wiped.
local function finish(settings, ok, ...)
  options.give_back(settings)
  if not ok then error((...), 0) end
  return ...
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
  local settings, mistake = options.borrow(given)
  if not settings then error("authenticate: " .. mistake, 2) end
  return finish(settings, pcall(exchange.run, settings, core, blocking.wait))
end

--- Makes a client, which keeps a token. Nothing is sent before its first token().
--
-- A mistake in `given` raises at the caller's level.
---@param given corebank.auth.ClientOptions
---@return corebank.auth.Client
function auth.client(given)
  local settings, mistake = options.read(given, true)
  if not settings then error("client: " .. mistake, 2) end
  options.number(settings)
  return client.new(settings, core, blocking, function() options.release(settings) end)
end

--- Where a client secret may come from other than a string in a script: neither of these ever makes
-- a Lua string of it, so nothing is left for the garbage collector to forget.
---@class corebank.auth.SecretSources
auth.secret = {}

local function secret_from(read, kind, where)
  if type(where) ~= "string" then
    error(("secret.%s: a string is needed, not %s"):format(kind, type(where)), 3)
  end
  local secret, reason = read(where)
  if not secret then
    -- Who gives the secret itself in place of its name must not read it in a log.
    local shown = (kind == "file" or where:find("^[%a_][%w_]*$")) and where or "the variable"
    error(("secret.%s: %s %s"):format(kind, shown, reason or "is not set, or empty"), 3)
  end
  return secret
end

--- The content of a file, less one trailing newline. Raises when it cannot be used: it must be a
-- regular file of at most 4 KiB that is not open to every user of the machine.
---@param path string
---@return corebank.auth.Secret
function auth.secret.file(path)
  local secret = secret_from(core.secret_file, "file", path)
  return secret
end

--- The value of an environment variable. Raises when it is not set or empty.
---@param name string
---@return corebank.auth.Secret
function auth.secret.env(name)
  local secret = secret_from(core.secret_env, "env", name)
  return secret
end

return auth
