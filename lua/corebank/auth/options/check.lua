--- The checks of single options. Each check takes a value, and returns the value to keep, or nil
-- and what the value must be.

local core = require "corebank.auth.core"
local host_name = require "corebank.auth.options.host_name"

local MOST_CHARACTERS = 100   -- the bank's limit, for both credentials
local MOST_HEADERS = 32       -- csrc/lua/bindings.h takes as many
local LONGEST_TIMEOUT = 600   -- seconds
local MOST_ATTEMPTS = 10
local LONGEST_TEXT = 4096     -- bytes; a path or URL that is longer is a mistake

local check = {MOST_HEADERS = MOST_HEADERS}

function check.text(value)
  if type(value) ~= "string" then return nil, "must be a string, not " .. type(value) end
  if value == "" then return nil, "must not be empty" end
  if value:find("%z") then return nil, "must not contain a NUL byte" end
  if #value > LONGEST_TEXT then return nil, ("must have at most %d bytes"):format(LONGEST_TEXT) end
  return value
end

function check.host_list(value)
  if value == "" then return value end
  local ok, reason = check.text(value)
  if ok and value:find("://", 1, true) then
    return nil, "must hold host names without https://, such as bank.example,.bank.example"
  end
  return ok, reason
end

local PROXY_SCHEMES = {http = true, https = true, socks4 = true, socks4a = true, socks5 = true,
  socks5h = true}

-- Checked here because libcurl words its own complaint with the URL, password and all.
function check.proxy_url(value)
  if value == "" then return value end
  local ok, reason = check.text(value)
  if not ok then return nil, reason end
  local url = core.url(value:find("://", 1, true) and value or "http://" .. value)
  if not url or url.host == "" or not PROXY_SCHEMES[url.scheme] then
    return nil, "must be a URL such as http://proxy.example:3128, or empty for none"
  end
  local fault = url.host:find "[\128-\255]" and host_name.fault(url.host)
  if fault then return nil, fault end
  return value
end

function check.number(low, high, whole)
  return function(value)
    if type(value) ~= "number" then return nil, "must be a number, not " .. type(value) end
    if not (value > 0 and value >= low and value <= high) or whole and value % 1 ~= 0 then
      return nil, ("must be a %snumber %s %g and at most %g"):format(whole and "whole " or "",
        low > 0 and "of at least" or "above", low, high)
    end
    return value
  end
end

-- Of a client and of a single request.
check.timeout = check.number(0, LONGEST_TIMEOUT)
check.attempts = check.number(1, MOST_ATTEMPTS, true)

local function of_type(wanted)
  return function(value)
    if type(value) == wanted then return value end
    return nil, ("must be a %s, not %s"):format(wanted, type(value))
  end
end

check.boolean, check.callable = of_type "boolean", of_type "function"

local STORE_METHODS = {"get", "put", "delete", "lease", "release"}

function check.store(value)
  if type(value) ~= "table" then return nil, "must be a store, not " .. type(value) end
  for _, method in ipairs(STORE_METHODS) do
    if type(value[method]) ~= "function" then
      return nil, ("must be a store: it has no method '%s'"):format(method)
    end
  end
  return value
end

local function within_limit(value, count)
  if count <= MOST_CHARACTERS then return value end
  return nil, ("must have at most %d characters, not %d"):format(MOST_CHARACTERS, count)
end

function check.credential(value)
  local ok, reason = check.text(value)
  if not ok then return nil, reason end
  local count = core.characters(value)
  if not count then return nil, "must be valid UTF-8" end
  return within_limit(value, count)
end

function check.secret_of_any_length(value)
  if core.is_secret(value) then return value end
  if type(value) == "userdata" then return nil, "must be a string or an open secret" end
  local ok, reason = check.text(value)
  if not ok then return nil, reason end
  return core.secret(value)
end

function check.secret(value)
  if core.is_secret(value) then return within_limit(value, value:characters()) end
  if type(value) == "string" then
    local ok, reason = check.credential(value)
    if not ok then return nil, reason end
  end
  return check.secret_of_any_length(value)
end

function check.url_path(value)
  local ok, reason = check.text(value)
  if ok and not value:find("^/[%w%-._~!$&'()*+,;=:@%%/]*$") then
    return nil, "must begin with / and hold only characters that a URL path may have"
  end
  return ok, reason
end

function check.pin_list(value)
  local ok, reason = check.text(value)
  if not ok then return nil, reason end
  for pin in (value .. ";"):gmatch("([^;]*);") do
    -- 32 bytes in base64 are 43 characters and one =
    if #pin ~= 52 or not pin:find("^sha256//[%w+/]+=$") then
      return nil, "must be sha256//… pins of 32 bytes in base64, separated by ;"
    end
  end
  return value
end

function check.tls_version(value)
  if value ~= "1.2" and value ~= "1.3" then return nil, 'must be "1.2" or "1.3"' end
  return value
end

-- Whether a header is set here, whatever a caller says.
local OURS = {host = true, ["transfer-encoding"] = true, accept = true, expect = true}

local function is_ours(name)
  return OURS[name] or name:find("^content%-") ~= nil
end

-- One header as libcurl takes it; "Name;" is its way to send an empty value.
local function header_line(name, value, is_refused)
  if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+%-.^_`|~]+$") then
    return nil, "must have header names as keys (RFC 9110 tokens)"
  end
  local refused, instead = is_refused(name:lower())
  if refused then
    return nil, ("must not set %s, which corebank-auth sets itself%s"):format(name,
      instead and "; use " .. instead or "")
  end
  if type(value) ~= "string" then
    return nil, ("must have strings as values, but %s is a %s"):format(name, type(value))
  end
  if value:find("%c") then return nil, "must carry no control characters in " .. name end
  if value:find("^%s*$") then return name .. ";" end
  return name .. ": " .. value
end

--- Checks a table of headers. Returns it as lines.
---@param value any
---@param is_refused (fun(name: string): boolean, string?)? whether a name, in small letters, is
--- refused, and what to use in its place
function check.header_table(value, is_refused)
  if type(value) ~= "table" then return nil, "must be a table, not " .. type(value) end
  local copy, seen = {}, {}
  for name, content in pairs(value) do
    local line, reason = header_line(name, content, is_refused or is_ours)
    if not line then return nil, reason end
    if seen[name:lower()] then return nil, "must have " .. name .. " once" end
    seen[name:lower()] = true
    copy[#copy + 1] = line
  end
  if #copy > MOST_HEADERS then return nil, ("must have at most %d entries"):format(MOST_HEADERS) end
  table.sort(copy)
  return copy
end

return check
