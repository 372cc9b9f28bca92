--- Every option once: name, type, default, meaning. Validates what a caller gives and takes a copy,
-- so that later changes to the caller's table change nothing here.

local core = require "corebank.auth.core"

---@class corebank.auth.Options
---@field baseUrl string? `https://…`, may carry a path prefix; else from COREBANK_BASE_URL
---@field path string? default "/api/auth/v1/authenticate"
---@field clientId string? 1..100 characters of UTF-8; else from COREBANK_CLIENT_ID
---@field clientSecret string|corebank.auth.Secret? likewise; else from COREBANK_CLIENT_SECRET
---@field timeout number? seconds for the whole call, retries included; default 10
---@field connectTimeout number? seconds for one connection; default 3
---@field attempts integer? tries within `timeout`; default 3
---@field caFile string? PEM file of trusted certificates; default: libcurl's own
---@field caPath string? folder of trusted certificates; default: libcurl's own
---@field clientCert string? PEM file, for mutual TLS
---@field clientKey string? PEM file; default: in clientCert
---@field clientKeyPassword string|corebank.auth.Secret?
---@field pinnedKey string? `sha256//…;sha256//…`, with a backup
---@field minTls "1.2"|"1.3"? default "1.2"
---@field proxy string? default: the environment's; "" means none
---@field noProxy string? hosts that are reached directly; default: the environment's
---@field allowPlaintext boolean? lets `http://` leave this machine, the secret readable on the way
---@field headers table<string, string>? extra request headers
---@field onEvent fun(event: table)? told what happens; never a secret

---@class corebank.auth.ClientOptions: corebank.auth.Options
---@field leeway number? seconds; a token with less left is never handed out
---@field refreshAhead number? seconds before its end; default 20 % of its life, at most 300

local MOST_CHARACTERS = 100   -- the bank's limit, for both credentials
local MOST_HEADERS = 32       -- csrc/request.h takes as many
local LONGEST_TEXT = 4096     -- bytes; a path or URL that is longer is a mistake
local LONGEST_TIMEOUT = 600   -- seconds
local MOST_ATTEMPTS = 10
local LONGEST_LIFETIME = 7 * 86400   -- seconds

-- ---- checks: value -> value to keep, or nil and what it must be -------------------------------

local function text(value)
  if type(value) ~= "string" then return nil, "must be a string, not " .. type(value) end
  if value == "" then return nil, "must not be empty" end
  if value:find("%z") then return nil, "must not contain a NUL byte" end
  if #value > LONGEST_TEXT then return nil, ("must have at most %d bytes"):format(LONGEST_TEXT) end
  return value
end

local function host_list(value)
  if value == "" then return value end
  return text(value)
end

local SOCKS = {socks4 = true, socks4a = true, socks5 = true, socks5h = true}

-- Checked here because libcurl words its own complaint with the URL, password and all.
local function proxy_url(value)
  if value == "" then return value end
  local ok, reason = text(value)
  if not ok then return nil, reason end
  local url = core.url(value:find("://", 1, true) and value or "http://" .. value)
  local scheme = url and url.scheme
  if not url or url.host == "" or not (scheme == "http" or scheme == "https"
    or SOCKS[scheme]) then
    return nil, "must be a URL such as http://proxy.example:3128, or empty for none"
  end
  return value
end

local function number(low, high, whole)
  return function(value)
    if type(value) ~= "number" then return nil, "must be a number, not " .. type(value) end
    if not (value > 0 and value >= low and value <= high) or whole and value % 1 ~= 0 then
      return nil, ("must be a %snumber %s %g and at most %g"):format(whole and "whole " or "",
        low > 0 and "of at least" or "above", low, high)
    end
    return value
  end
end

local function boolean(value)
  if type(value) ~= "boolean" then return nil, "must be a boolean, not " .. type(value) end
  return value
end

local function callable(value)
  if type(value) ~= "function" then return nil, "must be a function, not " .. type(value) end
  return value
end

local function credential(value)
  local ok, reason = text(value)
  if not ok then return nil, reason end
  local count = core.characters(value)
  if not count then return nil, "must be valid UTF-8" end
  if count > MOST_CHARACTERS then
    return nil, ("must have at most %d characters, not %d"):format(MOST_CHARACTERS, count)
  end
  return value
end

local function secret_of_any_length(value)
  if core.is_secret(value) then return value end
  if type(value) == "userdata" then return nil, "must be a string or an open secret" end
  local ok, reason = text(value)
  if not ok then return nil, reason end
  local secret, fault = core.secret(value)
  return secret, fault
end

local function secret(value)
  if core.is_secret(value) then
    local count = value:characters()
    if count > MOST_CHARACTERS then
      return nil, ("must have at most %d characters, not %d"):format(MOST_CHARACTERS, count)
    end
    return value
  end
  if type(value) == "string" then
    local ok, reason = credential(value)
    if not ok then return nil, reason end
  end
  return secret_of_any_length(value)
end

local function url_path(value)
  local ok, reason = text(value)
  if not ok then return nil, reason end
  if not value:find("^/[%w%-._~!$&'()*+,;=:@%%/]*$") then
    return nil, "must begin with / and hold only characters that a URL path may have"
  end
  return value
end

local function pin_list(value)
  local ok, reason = text(value)
  if not ok then return nil, reason end
  for pin in (value .. ";"):gmatch("([^;]*);") do
    -- 32 bytes in base64 are 43 characters and one =
    if #pin ~= 52 or not pin:find("^sha256//[%w+/]+=$") then
      return nil, "must be sha256//… pins of 32 bytes in base64, separated by ;"
    end
  end
  return value
end

local function tls_version(value)
  if value ~= "1.2" and value ~= "1.3" then return nil, 'must be "1.2" or "1.3"' end
  return value
end

local function reserved(name)
  name = name:lower()
  return name == "host" or name == "transfer-encoding" or name == "accept" or name == "expect"
    or name:find("^content%-") ~= nil
end

-- One header as libcurl takes it; "Name;" is its way to send an empty value.
local function header_line(name, value)
  if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+%-.^_`|~]+$") then
    return nil, "must have header names as keys (RFC 9110 tokens)"
  end
  if reserved(name) then return nil, "must not set " .. name .. ", which is ours" end
  if type(value) ~= "string" then
    return nil, ("must have strings as values, but %s is a %s"):format(name, type(value))
  end
  if value:find("%c") then return nil, "must carry no control characters in " .. name end
  if value:find("^%s*$") then return name .. ";" end
  return name .. ": " .. value
end

local function header_table(value)
  if type(value) ~= "table" then return nil, "must be a table, not " .. type(value) end
  local copy, seen = {}, {}
  for name, content in pairs(value) do
    local line, reason = header_line(name, content)
    if not line then return nil, reason end
    if seen[name:lower()] then return nil, "must have " .. name .. " once" end
    seen[name:lower()] = true
    copy[#copy + 1] = line
  end
  if #copy > MOST_HEADERS then return nil, ("must have at most %d entries"):format(MOST_HEADERS) end
  table.sort(copy)
  return copy
end

-- ---- the list ---------------------------------------------------------------------------------

local list = {
  {name = "baseUrl", check = text, env = "COREBANK_BASE_URL", required = true},
  {name = "path", check = url_path, default = "/api/auth/v1/authenticate"},
  {name = "clientId", check = credential, env = "COREBANK_CLIENT_ID", required = true},
  {name = "clientSecret", check = secret, secretEnv = "COREBANK_CLIENT_SECRET", required = true},
  {name = "timeout", check = number(0, LONGEST_TIMEOUT), default = 10},
  {name = "connectTimeout", check = number(0, LONGEST_TIMEOUT), default = 3},
  {name = "attempts", check = number(1, MOST_ATTEMPTS, true), default = 3},
  {name = "caFile", check = text},
  {name = "caPath", check = text},
  {name = "clientCert", check = text},
  {name = "clientKey", check = text},
  {name = "clientKeyPassword", check = secret_of_any_length},
  {name = "pinnedKey", check = pin_list},
  {name = "minTls", check = tls_version, default = "1.2"},
  {name = "proxy", check = proxy_url},
  {name = "noProxy", check = host_list},
  {name = "allowPlaintext", check = boolean, default = false},
  {name = "headers", check = header_table, as = "headerLines"},
  {name = "onEvent", check = callable},
  {name = "leeway", check = number(0, LONGEST_LIFETIME), clientOnly = true},
  {name = "refreshAhead", check = number(0, LONGEST_LIFETIME), clientOnly = true},
}

local known = {}
for _, option in ipairs(list) do known[option.name] = option end

-- ---- unknown names ----------------------------------------------------------------------------

-- What other libraries call our options, and what people look for that is not there.
local elsewhere = {
  url = "baseUrl", host = "baseUrl", secret = "clientSecret", id = "clientId", ca = "caFile",
  cert = "clientCert", key = "clientKey", pin = "pinnedKey", retries = "attempts",
  verify = "caFile", sslverify = "caFile", insecure = "caFile", tls = "minTls",
}

local NEVER_OFF = {verify = true, sslverify = true, insecure = true}

-- How many single-character edits lead from a to b (Levenshtein).
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
    end
  end
  return row[#b]
end

local function unknown(name)
  if type(name) ~= "string" then
    return ("options must be named, but there is a key of type %s"):format(type(name))
  end
  local wanted = name:lower():gsub("[_%-]", "")
  name = name:gsub("%c", "?"):sub(1, 40)   -- whatever was taken for a name
  local best, nearest, off = math.huge, nil, false
  local function consider(word, option)
    local d = distance(wanted, word)
    -- On a tie the name that sorts first, so that the message does not depend on table order.
    if d < best or d == best and option < nearest then
      best, nearest, off = d, option, NEVER_OFF[word]
    end
  end
  for _, option in ipairs(list) do consider(option.name:lower(), option.name) end
  for word, option in pairs(elsewhere) do consider(word, option) end
  if off then
    return ("unknown option '%s'; verification cannot be switched off, but %s names whom to trust")
      :format(name, nearest)
  end
  return ("unknown option '%s'; did you mean '%s'?"):format(name, nearest)
end

-- ---- rules that concern more than one option --------------------------------------------------

local function is_loopback(host)
  return host == "localhost" or host == "[::1]"
    or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

local function check_base(url)
  if not url or url.host == "" then return "must be a URL" end
  if url.scheme ~= "https" and url.scheme ~= "http" then return "must begin with https://" end
  if url.hasUser then return "must not carry user information" end
  if url.hasQuery or url.hasFragment then return "must not carry a query or fragment" end
end

-- A plaintext URL is fine on this machine only, and then not by way of a proxy.
local function check_plaintext(settings, url)
  if url.scheme ~= "http" or settings.allowPlaintext then return nil end
  if not is_loopback(url.host) then
    return "baseUrl must begin with https:// (or set allowPlaintext, and the secret can be read "
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
  local fault = check_base(base)
  if fault then return "baseUrl " .. fault end
  local mistake = check_plaintext(settings, base)
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

-- The value for an option that was not given: from the environment, else its default.
local function fallback(option)
  if option.secretEnv then
    local value, reason = core.secret_env(option.secretEnv)
    return value, option.secretEnv, reason
  end
  local value = option.env and os.getenv(option.env)
  if value and value ~= "" then return value, option.env end
  return option.default
end

local function missing(option)
  local env = option.env or option.secretEnv
  return ("%s is missing; give it or set %s"):format(option.name, env)
end

-- A secret that was made here is wiped from here, too.
local function own(settings, value)
  if core.is_secret(value) then settings.owned[#settings.owned + 1] = value end
end

local function read_one(settings, option, value)
  local source = option.name
  local ours = value == nil
  if ours then
    local from, reason
    value, from, reason = fallback(option)
    if reason then return ("%s (from %s) %s"):format(option.name, from, reason) end
    if from then
      source = ("%s (from %s)"):format(option.name, from)
      settings.fromEnvironment = true
    end
  end
  if value == nil then return option.required and missing(option) or nil end
  if ours then own(settings, value) end
  local checked, reason = option.check(value)
  if checked == nil then return source .. " " .. reason end
  settings[option.as or option.name] = checked
  if checked ~= value then own(settings, checked) end
end

local function read_all(settings, given, forClient)
  for name in pairs(given) do
    if not known[name] then return unknown(name) end
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

--- Reads a caller's options.
---@param given corebank.auth.Options
---@param forClient boolean? whether a client's own options may be there
---@return table? settings every option under its name, and url, origin, headerLines
---@return string? mistake what is wrong with `given`, naming the option
function options.read(given, forClient)
  if type(given) ~= "table" then
    return nil, "a table of options is needed, not " .. type(given)
  end
  local settings = {owned = {}}
  local mistake = read_all(settings, given, forClient)
  if mistake then
    options.release(settings)
    return nil, mistake
  end
  return settings
end

--- Wipes the secrets that `read` made itself; not those a caller made.
---@param settings table
function options.release(settings)
  for _, owned in ipairs(settings.owned) do owned:close() end
end

-- ---- the same table again ---------------------------------------------------------------------

-- A script that calls with one table over and over has it read once. What is kept here lives as
-- long as that table, which holds the secret anyway, and is checked against it at every call.
local remembered = setmetatable({}, {__mode = "k"})

-- Not remembered: values that may change behind our back (the environment's, other tables', what a
-- metatable gives, secrets that their owner may close), and functions, which may refer to the table
-- and keep it for ever.
local function memorable(settings, given)
  return not settings.fromEnvironment and getmetatable(given) == nil
    and given.headers == nil and given.onEvent == nil
    and type(given.clientSecret) == "string" and type(given.clientKeyPassword) ~= "userdata"
end

--- Gives settings that will be used again and again a number, by which the core knows that it has
-- set up a handle for them.
---@param settings table
function options.number(settings)
  settings.serial = core.settings_number()
end

local function remember(given, settings)
  local fields, count = {}, 0
  for name, value in pairs(given) do
    fields[name] = value
    count = count + 1
  end
  options.number(settings)
  remembered[given] = {settings = settings, fields = fields, count = count}
end

-- The settings that were read from the same table with the same values before.
local function recall(given)
  local known_as = remembered[given]
  if not known_as or not known_as.settings then return nil end
  local fields, left = known_as.fields, known_as.count
  for name, value in next, given do
    if fields[name] ~= value then return nil end
    left = left - 1
  end
  if left == 0 then return known_as.settings end
end

--- Like `read`, for one call: `borrow`, call, `give_back`. A table seen for the second time is
-- remembered; until then the secret is wiped as soon as the call is over.
---@param given corebank.auth.Options
---@return table? settings
---@return string? mistake
function options.borrow(given)
  local settings = recall(given)
  if settings then return settings end
  local mistake
  settings, mistake = options.read(given)
  if not settings then return nil, mistake end
  if not memorable(settings, given) then return settings end
  if remembered[given] then remember(given, settings) else remembered[given] = {} end
  return settings
end

---@param settings table
function options.give_back(settings)
  if not settings.serial then options.release(settings) end
end

return options
