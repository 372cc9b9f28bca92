--- The rules about more than one option, and the URL that is made from several options.

local api_url = require "corebank.auth.options.api_url"
local core = require "corebank.auth.core"
local environment = require "corebank.auth.options.from_environment"
local host_name = require "corebank.auth.options.host_name"

local function check_base(url, given)
  if not url or url.host == "" then return "must be a URL" .. host_name.no_url(given) end
  local fault = host_name.fault(url.host)
  if fault then return fault end
  if url.scheme ~= "https" and url.scheme ~= "http" then return "must begin with https://" end
  if url.hasUser then return "must not contain a user name" end
  if url.hasQuery or url.hasFragment then return "must not contain a query or a fragment" end
end

-- A plaintext URL is fine on this machine only, and then not by way of a proxy.
local function check_plaintext(values, url, name, sent)
  if url.scheme ~= "http" or values.allowPlaintext then return nil end
  local isHere = url.host == "localhost" or url.host == "[::1]"
    or url.host:find "^127%.%d+%.%d+%.%d+$"
  if not isHere then
    return ("%s must begin with https:// (with allowPlaintext, others on the network can read the "
      .. "%s)"):format(name, sent)
  end
  if values.proxy and values.proxy ~= "" then
    return ("proxy with an http:// %s needs allowPlaintext: the proxy can read the %s"):format(name,
      sent)
  end
  values.noProxy = "*"
end

-- The parsed URL of an option; or nil and what is wrong with it.
local function read_url(values, option, sent)
  local url = core.url(values[option])
  local name = environment.shown(option, values.variables[option])
  local fault = check_base(url, values[option])
  if fault then return nil, name .. " " .. fault end
  local mistake = check_plaintext(values, url, name, sent)
  if mistake then return nil, mistake end
  return url
end

local function without_slash(url)
  return (url.text:gsub("/+$", ""))
end

-- Adds the URL to call, and the origin to name in messages.
local function join_url(values)
  local base, mistake = read_url(values, "baseUrl", "secret")
  if not base then return mistake end
  local whole = core.url(without_slash(base) .. values.path)
  if not whole then return "path does not make a URL with baseUrl" end
  values.url = whole.text
  values.origin = api_url.origin(base)
  local api = base
  if values.apiUrl then
    api, mistake = read_url(values, "apiUrl", "token")
    if not api then return mistake end
    -- check_plaintext takes all that a client sends past the proxy.
    if api.scheme ~= base.scheme and not values.allowPlaintext then
      return ("apiUrl must begin with %s://, as baseUrl does"):format(base.scheme)
    end
  end
  api_url.keep(values, without_slash(api))
end

--- Checks options that are right each by itself, and adds `url` and `origin`.
---@param values table
---@return string? mistake
return function(values)
  if values.clientKey and not values.clientCert then return "clientKey needs clientCert" end
  if values.clientKeyPassword and not values.clientCert then
    return "clientKeyPassword needs clientCert"
  end
  return join_url(values)
end
