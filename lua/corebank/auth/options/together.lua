--- The rules about more than one option, and the URL that is made from several options.

local core = require "corebank.auth.core"
local environment = require "corebank.auth.options.from_environment"
local host_name = require "corebank.auth.options.host_name"

local USUAL_PORTS = {https = "443", http = "80"}

local function check_base(url, given)
  if not url or url.host == "" then return "must be a URL" .. host_name.no_url(given) end
  local fault = host_name.fault(url.host)
  if fault then return fault end
  if not USUAL_PORTS[url.scheme] then return "must begin with https://" end
  if url.hasUser then return "must not contain a user name" end
  if url.hasQuery or url.hasFragment then return "must not contain a query or a fragment" end
end

-- A plaintext URL is fine on this machine only, and then not by way of a proxy.
local function check_plaintext(values, url, name)
  if url.scheme ~= "http" or values.allowPlaintext then return nil end
  local isHere = url.host == "localhost" or url.host == "[::1]"
    or url.host:find "^127%.%d+%.%d+%.%d+$"
  if not isHere then
    return name .. " must begin with https:// (with allowPlaintext, others on the network can "
      .. "read the secret)"
  end
  if values.proxy and values.proxy ~= "" then
    return "proxy with an http:// baseUrl needs allowPlaintext: the proxy can read the secret"
  end
  values.noProxy = "*"
end

-- Adds the URL to call, and the origin to name in messages.
local function join_url(values)
  local base = core.url(values.baseUrl)
  local name = environment.shown("baseUrl", values.variables.baseUrl)
  local fault = check_base(base, values.baseUrl)
  if fault then return name .. " " .. fault end
  local mistake = check_plaintext(values, base, name)
  if mistake then return mistake end
  local whole = core.url(base.text:gsub("/+$", "") .. values.path)
  if not whole then return "path does not make a URL with baseUrl" end
  values.url = whole.text
  values.origin = ("%s://%s"):format(base.scheme, base.host)
  if base.port ~= USUAL_PORTS[base.scheme] then
    values.origin = values.origin .. ":" .. base.port
  end
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
