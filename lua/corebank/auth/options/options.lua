--- Every option once: name, type, default, meaning. Validates what a caller gives and takes a copy,
-- so that later changes to the caller's table change nothing here.

local check = require "corebank.auth.options.check"
local core = require "corebank.auth.core"
local secret = require "corebank.auth.options.secret"

---@class corebank.auth.Options
---@field baseUrl string? `https://…`, may carry a path prefix; else from COREBANK_BASE_URL
---@field path string? default "/api/auth/v1/authenticate"
---@field clientId string? 1..100 characters of UTF-8; else from COREBANK_CLIENT_ID
---@field clientSecret string|corebank.auth.Secret? likewise; else from COREBANK_CLIENT_SECRET,
--- or from the file that COREBANK_CLIENT_SECRET_FILE names
---@field timeout number? seconds for the whole call, retries included; default 10
---@field connectTimeout number? seconds for one connection; default 3
---@field attempts integer? tries within `timeout`; default 3
---@field caFile string? PEM file of all that is trusted; else from COREBANK_CA_FILE, or libcurl's
---@field caPath string? folder of all that is trusted; default: libcurl's own
---@field clientCert string? file for mutual TLS: PEM, DER or PKCS#12, by its content
---@field clientKey string? PEM or DER file; default: in clientCert
---@field clientKeyPassword string|corebank.auth.Secret?
---@field pinnedKey string? `sha256//…;sha256//…`, with a backup
---@field minTls "1.2"|"1.3"? default "1.2"
---@field proxy string? default: the environment's; "" means none
---@field proxyCaFile string? PEM file of all that is trusted for an https proxy
---@field noProxy string? hosts that are reached directly; default: the environment's
---@field allowPlaintext boolean? lets `http://` leave this machine, the secret readable on the way
---@field headers table<string, string>? extra request headers
---@field onEvent fun(event: table)? told what happens; never a secret

---@class corebank.auth.ClientOptions: corebank.auth.Options
---@field store corebank.auth.Store? where tokens are shared; default: this client's memory
---@field leeway number? seconds; a token with less left is never handed out
---@field refreshAhead number? seconds before its end; default 20 % of its life, at most 300

local LONGEST_TIMEOUT = 600   -- seconds
local MOST_ATTEMPTS = 10
local LONGEST_LIFETIME = 7 * 86400   -- seconds

-- `kind` is what a value is, in the words of a command's --help; `meaning` is what it is for.
local list = {
  {name = "baseUrl", check = check.text, env = "COREBANK_BASE_URL", required = true,
    kind = "URL", meaning = "where the bank is, https://…"},
  {name = "path", check = check.url_path, default = "/api/auth/v1/authenticate",
    kind = "PATH", meaning = "what comes after the base URL"},
  {name = "clientId", check = check.credential, env = "COREBANK_CLIENT_ID", required = true,
    kind = "ID", meaning = "who asks"},
  {name = "clientSecret", check = check.secret, secretEnv = "COREBANK_CLIENT_SECRET",
    secretFileEnv = "COREBANK_CLIENT_SECRET_FILE", required = true,
    kind = "secret", meaning = "how the bank knows"},
  {name = "timeout", check = check.number(0, LONGEST_TIMEOUT), default = 10,
    kind = "SECONDS", meaning = "the whole call, retries included"},
  {name = "connectTimeout", check = check.number(0, LONGEST_TIMEOUT), default = 3,
    kind = "SECONDS", meaning = "one connection"},
  {name = "attempts", check = check.number(1, MOST_ATTEMPTS, true), default = 3,
    kind = "COUNT", meaning = "tries within the timeout"},
  {name = "caFile", check = check.text, env = "COREBANK_CA_FILE",
    kind = "FILE", meaning = "certificates to trust, PEM"},
  {name = "caPath", check = check.text,
    kind = "FOLDER", meaning = "certificates to trust, with hashed names"},
  {name = "clientCert", check = check.text,
    kind = "FILE", meaning = "certificate for mutual TLS: PEM, DER or PKCS#12"},
  {name = "clientKey", check = check.text,
    kind = "FILE", meaning = "its key, when not in the same file"},
  {name = "clientKeyPassword", check = check.secret_of_any_length,
    kind = "secret", meaning = "passphrase of that key"},
  {name = "pinnedKey", check = check.pin_list,
    kind = "PINS", meaning = "sha256//…;sha256//…: the only server keys to trust"},
  {name = "minTls", check = check.tls_version, default = "1.2",
    kind = "VERSION", meaning = "lowest TLS version, 1.2 or 1.3"},
  {name = "proxy", check = check.proxy_url,
    kind = "URL", meaning = "the proxy to use, or an empty one for none"},
  {name = "proxyCaFile", check = check.text,
    kind = "FILE", meaning = "certificates to trust for an https:// proxy, PEM"},
  {name = "noProxy", check = check.host_list,
    kind = "HOSTS", meaning = "hosts to reach without the proxy"},
  {name = "allowPlaintext", check = check.boolean, default = false,
    kind = "switch", meaning = "lets http:// leave this machine, secret and all"},
  {name = "headers", check = check.header_table, as = "headerLines",
    kind = "headers", meaning = "one more request header; @FILE: those in a file"},
  {name = "onEvent", check = check.callable,
    kind = "function", meaning = "told what happens"},
  {name = "store", check = check.store, clientOnly = true,
    kind = "store", meaning = "where tokens are shared"},
  {name = "leeway", check = check.number(0, LONGEST_LIFETIME), clientOnly = true,
    kind = "SECONDS", meaning = "a token with less left is not handed out"},
  {name = "refreshAhead", check = check.number(0, LONGEST_LIFETIME), clientOnly = true,
    kind = "SECONDS", meaning = "how long before its end a token is refreshed"},
}

local known = {}
for _, option in ipairs(list) do known[option.name] = option end

-- ---- rules that concern more than one option --------------------------------------------------

local function is_loopback(host)
  return host == "localhost" or host == "[::1]"
    or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

local LONGEST_LABEL = 63   -- characters of a host name in a row

-- Whether a host name needs a closer look.
local function is_odd(host)
  return host:find "[^%w.%-_:%[%]]" or host:find "%.%." or #host > LONGEST_LABEL
end

local function check_base(url, given)
  if not url or url.host == "" then
    return "must be a URL" .. require "corebank.auth.options.host_name".no_url(given)
  end
  local fault = is_odd(url.host) and require "corebank.auth.options.host_name".fault(url.host)
  if fault then return fault end
  if url.scheme ~= "https" and url.scheme ~= "http" then return "must begin with https://" end
  if url.hasUser then return "must not carry user information" end
  if url.hasQuery or url.hasFragment then return "must not carry a query or fragment" end
end

-- An option's name, and the variable that its value is from, if one is.
local function named(name, variable)
  return variable and ("%s (from %s)"):format(name, variable) or name
end

-- A plaintext URL is fine on this machine only, and then not by way of a proxy.
local function check_plaintext(settings, url, name)
  if url.scheme ~= "http" or settings.allowPlaintext then return nil end
  if not is_loopback(url.host) then
    return name .. " must begin with https:// (or set allowPlaintext, and the secret can be read "
      .. "on the way)"
  end
  if settings.proxy and settings.proxy ~= "" then
    return "proxy with an http:// baseUrl needs allowPlaintext: the proxy can read the secret"
  end
  settings.noProxy = "*"
end

-- Replaces baseUrl and path by the URL to call and the origin to name in messages.
local function join_url(settings)
  local base = core.url(settings.baseUrl)
  local name = named("baseUrl", settings.fromEnvironment and settings.fromEnvironment.baseUrl)
  local fault = check_base(base, settings.baseUrl)
  if fault then return name .. " " .. fault end
  local mistake = check_plaintext(settings, base, name)
  if mistake then return mistake end
  local whole = core.url(base.text:gsub("/+$", "") .. settings.path)
  if not whole then return "path does not make a URL with baseUrl" end
  settings.url = whole.text
  settings.origin = ("%s://%s"):format(base.scheme, base.host)
  local usual = base.scheme == "https" and "443" or "80"
  if base.port ~= usual then settings.origin = settings.origin .. ":" .. base.port end
end

local function check_together(settings)
  if settings.clientKey and not settings.clientCert then return "clientKey needs clientCert" end
  if settings.clientKeyPassword and not settings.clientCert then
    return "clientKeyPassword needs clientCert"
  end
  return join_url(settings)
end

-- ---- reading ----------------------------------------------------------------------------------

-- The value of a variable; nil when it is not set or empty, and with a reason when nobody can have
-- meant it: a line feed at its end is a shell's doing, any other invisible character a mistake.
local function variable(name)
  local value, reason = core.outside(os.getenv(name) or "")
  if value ~= "" then return value, reason end
end

-- The secret that the environment has: in a variable, or in the file that another one names. The
-- second value is the variable, the third what is wrong with it.
local function environment_secret(option, how)
  local value, reason = core.secret_env(option.secretEnv)
  local name = option.secretFileEnv
  local path, fault = variable(name)
  if not (path or fault) then return value, option.secretEnv, reason end
  if value or reason then
    if value then value:close() end
    return nil, option.secretEnv, ("is also given by %s; unset one of the two"):format(name)
  end
  if path then value, fault = secret.from_file(path, how) end
  return value, name, fault
end

-- The value for an option that was not given: from the environment, else its default.
local function fallback(option, how)
  if option.secretEnv then return environment_secret(option, how) end
  if not option.env then return option.default end
  local value, reason = variable(option.env)
  if value or reason then return value, option.env, reason end
  return option.default
end

local function missing(option)
  local env = option.env or ("%s or %s"):format(option.secretEnv, option.secretFileEnv)
  return ("%s is missing; give it or set %s"):format(option.name, env)
end

-- A secret that was made here is wiped from here, too.
local function own(settings, value)
  if core.is_secret(value) then settings.owned[#settings.owned + 1] = value end
end

local function read_one(settings, option, value)
  local ours, from = value == nil, nil
  if ours then
    local reason
    value, from, reason = fallback(option, settings.secretFiles)
    if reason then return named(option.name, from) .. " " .. reason end
    if from then
      settings.fromEnvironment = settings.fromEnvironment or {}
      settings.fromEnvironment[option.name] = from
    end
  end
  if value == nil then return option.required and missing(option) or nil end
  if ours then own(settings, value) end
  local checked, reason = option.check(value)
  if checked == nil then return named(option.name, from) .. " " .. reason end
  settings[option.as or option.name] = checked
  if checked ~= value then own(settings, checked) end
end

local function read_all(settings, given, forClient)
  for name in pairs(given) do
    if not known[name] then return require "corebank.auth.options.suggest".mistake(name, list) end
    if known[name].clientOnly and not forClient then
      return name .. " is for a token that is kept: give it to auth.client"
    end
  end
  for _, option in ipairs(list) do
    local mistake = read_one(settings, option, given[option.name])
    if mistake then return mistake end
  end
  return check_together(settings)
end

local options = {}

--- The options, in the order in which they are read.
---@type {name: string, kind: string, meaning: string, default: any, env: string?,
--- secretEnv: string?, required: boolean?}[]
options.list = list

--- Reads a caller's options.
---@param given corebank.auth.Options
---@param forClient boolean? whether a client's own options may be there
---@param secretFiles {anyMode: boolean?, stream: boolean?}? for the file that a variable names
---@return table? settings every option under its name, and url, origin, headerLines
---@return string? mistake what is wrong with `given`, naming the option
function options.read(given, forClient, secretFiles)
  if type(given) ~= "table" then
    return nil, "a table of options is needed, not " .. type(given)
  end
  local settings = {owned = {}, secretFiles = secretFiles}
  local mistake = read_all(settings, given, forClient)
  if mistake then
    options.release(settings)
    return nil, mistake
  end
  return settings
end

--- Reads one option.
---@param settings table where it goes, and into `owned` what was made of a secret
---@param name string one of the list
---@param value any nil: from the environment, else its default
---@return string? mistake
function options.read_one(settings, name, value)
  return read_one(settings, known[name], value)
end

--- Wipes the secrets that `read` made itself; not those a caller made.
---@param settings table
function options.release(settings)
  for _, owned in ipairs(settings.owned) do owned:close() end
end

-- A handle that is set up has a copy of a secret, out of our reach; and what a client's files are
-- is looked at when one is set up.
local function is_set_up_anew(settings)
  return settings.clientCert or settings.proxy and settings.proxy:find("@", 1, true)
end

--- Gives settings that will be used again and again a number, by which the core knows that it has
-- set up a handle for them. Those that have one keep it.
---@param settings table
function options.number(settings)
  if not settings.serial and not is_set_up_anew(settings) then
    settings.serial = core.settings_number()
  end
end

--- What a table has, to know it again by core.same_fields.
---@param given corebank.auth.Options
---@return table fields a copy
---@return integer count
function options.fields(given)
  local fields, count = {}, 0
  for name, value in pairs(given) do
    fields[name] = value
    count = count + 1
  end
  return fields, count
end

return options
