--- The options of auth.store.redis: their checks, and the parts of a URL.
--
-- No message shows a value, because a URL may contain a password.

local client = require "corebank.auth.store.redis_client"
local core = require "corebank.auth.core"

local DEFAULT_TIMEOUT, SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 0.5, 0.01, 10   -- seconds
local LONGEST_PREFIX = 100   -- bytes
local DEFAULT_PORT, HIGHEST_PORT = 6379, 65535

local NEEDS_CONNECT = "url: rediss:// needs a client that knows TLS: give it with 'connect'"
-- nginx compares a certificate with names only. Without a name, any certificate of the CA would do.
local NEEDS_NAME =
  "url: rediss:// needs the name of the host, as in its certificate, not an address"

---@class corebank.auth.RedisOptions
---@field url string? redis://USER:PASSWORD@HOST:PORT/DATABASE, or rediss:// for TLS; default:
--- redis://127.0.0.1:6379/0
---@field password string? in place of the URL's
---@field passwordFile string? a file with the password; it is read for each new connection
---@field prefix string? the text at the beginning of all keys; default: corebank-auth:
---@field timeout number? seconds for one operation, connecting included; default: 0.5
---@field connect (fun(): table, function?)? returns a connected client of the caller's own, and a
--- function that takes it back; it is called for each operation

local options = {}

-- ---- the URL -----------------------------------------------------------------------------------

-- Decodes percent escapes. Returns nil when a percent sign begins no escape.
local function decoded(text)
  if text:gsub("%%%x%x", ""):find("%", 1, true) then return nil end
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- Splits the part of a URL that names the server into host and port.
local function host_and_port(place)
  local host, port = place:match("^%[([%x:.]+)%]:?(%d*)$")   -- IPv6
  if not host then host, port = place:match("^([%w._-]+):?(%d*)$") end
  if not host or place:find(":$") then return nil end
  port = port == "" and DEFAULT_PORT or tonumber(port)
  if port < 1 or port > HIGHEST_PORT then return nil end
  return host, port
end

local function read_credentials(read, text)
  local user, password = text:match("^([^:]*):(.*)$")
  user = decoded(user or text)
  if password then password = decoded(password) end
  if not user or text:find(":") and not password then
    return "url: a percent sign begins an escape: write it as %25"
  end
  read.user = user ~= "" and user or nil
  read.password = password ~= "" and password or nil
end

-- Reads host, port, database, user and password. Returns the mistake in the URL, if there is one.
local function read_url(read, url)
  if type(url) ~= "string" then return "url must be a string, not " .. type(url) end
  local scheme, rest = url:match("^(%a+)://(.*)$")
  read.isTls = scheme == "rediss"
  if read.isTls and not client.knows_tls() then return NEEDS_CONNECT end
  if scheme ~= "redis" and not read.isTls then return "url must begin with redis://" end
  if rest:find("[%c%s]") then return "url must have no blanks or control characters" end
  local place, path = rest:match("^([^/?#]*)(.*)$")
  local credentials = place:match("^(.*)@")
  if credentials then place = place:sub(#credentials + 2) end
  read.host, read.port = host_and_port(place)
  if not read.host then return "url must have a host, and at most a port from 1 to 65535" end
  if read.isTls and (read.host:find(":") or read.host:find("^[%d.]+$")) then return NEEDS_NAME end
  local database = path:match("^/?(%d*)$")
  if not database or #database > 4 then
    return "url must end with the number of a database, if with anything"
  end
  read.database = tonumber(database) or 0
  return credentials and read_credentials(read, credentials) or nil
end

-- ---- checks ------------------------------------------------------------------------------------

local function check_password(password)
  if type(password) ~= "string" then return "must be a string, not " .. type(password) end
  if password == "" then return "must not be empty" end
end

local function check_password_file(path)
  if type(path) ~= "string" then return "must be a string, not " .. type(path) end
  return client.password_file_fault(path)
end

-- Braces choose the server of a cluster. The keys have braces of their own for this.
local function check_prefix(prefix)
  if type(prefix) ~= "string" then return "must be a string, not " .. type(prefix) end
  if #prefix > LONGEST_PREFIX then return ("must have at most %d bytes"):format(LONGEST_PREFIX) end
  if prefix:find("[{}]") then return "must have no braces" end
  if prefix:find("[%c%s]") then return "must have no blanks or control characters" end
end

local function check_timeout(timeout)
  if type(timeout) ~= "number" then return "must be a number, not " .. type(timeout) end
  if not (timeout >= SHORTEST_TIMEOUT and timeout <= LONGEST_TIMEOUT) then
    return ("must be from %g to %g seconds"):format(SHORTEST_TIMEOUT, LONGEST_TIMEOUT)
  end
end

local function check_connect(connect)
  if type(connect) ~= "function" then return "must be a function, not " .. type(connect) end
end

local CHECKS = {url = function() end, password = check_password, passwordFile = check_password_file,
  prefix = check_prefix, timeout = check_timeout, connect = check_connect}
local NAMES = "url, password, passwordFile, prefix, timeout and connect"

local function check_each(given)
  for name, value in pairs(given) do
    if type(name) ~= "string" then return "options must be named; there are " .. NAMES end
    local check = CHECKS[name]
    if not check then
      return ("unknown option '%s'; there are %s"):format(core.printable(name):sub(1, 40), NAMES)
    end
    local mistake = check(value)
    if mistake then return name .. " " .. mistake end
  end
end

local function check_together(given, read)
  for _, name in ipairs{"url", "password", "passwordFile"} do
    if given.connect and given[name] then
      return ("'connect' and '%s' exclude each other"):format(name)
    end
  end
  if given.password and given.passwordFile then
    return "'password' and 'passwordFile' exclude each other"
  end
  if read.password and (given.password or given.passwordFile) then
    return "url has a password already"
  end
  if read.user and not (read.password or given.password or given.passwordFile) then
    return "url has a user, but there is no password"
  end
end

--- Checks and reads the options.
---@param given corebank.auth.RedisOptions?
---@return table? read host, port, isTls, database, user, password, passwordFile, prefix, timeout,
--- connect
---@return string? mistake
function options.read(given)
  given = given == nil and {} or given
  if type(given) ~= "table" then return nil, "a table is needed, not " .. type(given) end
  local read = {prefix = given.prefix or "corebank-auth:", connect = given.connect,
    timeout = given.timeout or DEFAULT_TIMEOUT, passwordFile = given.passwordFile}
  local mistake = check_each(given)
  if not mistake and not given.connect then
    mistake = read_url(read, given.url == nil and "redis://127.0.0.1" or given.url)
  end
  mistake = mistake or check_together(given, read)
  if mistake then return nil, mistake end
  read.password = read.password or given.password
  return read
end

return options
