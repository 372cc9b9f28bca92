--- The rules that concern more than one option, and the URL that several of them make.

local core = require "corebank.auth.core"
local environment = require "corebank.auth.options.environment"
local host_name = require "corebank.auth.options.host_name"

local USUAL_PORTS = {https = "443", http = "80"}

local function is_loopback(host)
  return host == "localhost" or host == "[::1]"
    or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

local function check_base(url, given)
  if not url or url.host == "" then return "must be a URL" .. host_name.no_url(given) end
  local fault = host_name.fault(url.host)
  if fault then return fault end
  if not USUAL_PORTS[url.scheme] then return "must begin with https://" end
  if url.hasUser then return "must not carry user information" end
  if url.hasQuery or url.hasFragment then return "must not carry a query or fragment" end
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

-- Adds the URL to call, and the origin to name in messages.
local function join_url(settings)
  local base = core.url(settings.baseUrl)
  local name = environment.shown("baseUrl", settings.fromEnvironment.baseUrl)
  local fault = check_base(base, settings.baseUrl)
  if fault then return name .. " " .. fault end
  local mistake = check_plaintext(settings, base, name)
  if mistake then return mistake end
  local whole = core.url(base.text:gsub("/+$", "") .. settings.path)
  if not whole then return "path does not make a URL with baseUrl" end
  settings.url = whole.text
  settings.origin = ("%s://%s"):format(base.scheme, base.host)
  if base.port ~= USUAL_PORTS[base.scheme] then
    settings.origin = settings.origin .. ":" .. base.port
  end
end

--- Checks options that are right each by itself, and adds `url` and `origin`.
---@param settings table
---@return string? mistake
return function(settings)
  if settings.clientKey and not settings.clientCert then return "clientKey needs clientCert" end
  if settings.clientKeyPassword and not settings.clientCert then
    return "clientKeyPassword needs clientCert"
  end
  return join_url(settings)
end
