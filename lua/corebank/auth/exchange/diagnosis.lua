--- Makes a problem from a failed transfer or a status: the code, and a message with what to do.

local core = require "corebank.auth.core"
local problem = require "corebank.auth.exchange.problem"

local diagnosis = {}

local CODES = {[400] = "denied", [401] = "denied", [403] = "denied", [429] = "limited"}

-- HTTP status -> code, for all that is not a 2xx or a redirect. A 407 is the proxy's only where
-- there is one that sees the request itself; else it is a strange answer of the bank.
local function code_of(status, settings)
  if status == 407 and settings.url:find "^http:"
    and core.proxy(settings.endpoint, settings.url) then
    return "proxy"
  end
  return CODES[status] or status >= 500 and "server" or "status"
end

local advice = {
  denied = "the bank does not accept these credentials (%s); check clientId and clientSecret",
  proxy = "the proxy wants credentials of its own (%s); check those in the proxy URL",
  limited = "the bank asks for fewer requests (%s)",
  server = "the bank cannot answer now (%s)",
  status = "the bank gave an unexpected answer (%s); check baseUrl and path",
}

local function shown_status(result)
  return "status " .. result.status .. (result.contentType and ", " .. result.contentType or "")
end

-- A 2xx that is no token reply.
local function unusable(result, settings, body, fault, isFinal)
  local advised = not isFinal and "check baseUrl and path"
    or fault:find("^is compressed") and "the bank, or a gateway before it, must not do that"
    or "problem:body() has the bank's own words"
  return problem.new("response", ("the answer (%s) of %s %s; %s"):format(shown_status(result),
    settings.origin, fault, advised), {status = result.status, retryable = not isFinal}, body)
end

--- What an answer means that brings no token.
---@param result table see transfer:result() in csrc/lua/transfer.c
---@param settings table what options.read made
---@param body string? what problem:body() returns
---@param fault string? what is wrong with a 2xx, as transfer:reply() says
---@param isFinal boolean? whether the bank would answer the same again
---@return corebank.auth.Problem
function diagnosis.of_answer(result, settings, body, fault, isFinal)
  if fault then return unusable(result, settings, body, fault, isFinal) end
  local status = result.status
  local code = code_of(status, settings)
  local fields = {status = status}
  -- RFC 9110, section 15.5.9: the server gave up waiting for the request; it may be repeated.
  if status == 408 then fields.retryable = true end
  if code == "proxy" then fields.retryable = false end
  return problem.new(code, advice[code]:format(shown_status(result)), fields, body)
end

local tls_advice = {
  trust = "%s is not trusted; check caFile and the host name in baseUrl",
  store = "caFile or caPath cannot be used for %s; it must be readable and hold PEM certificates",
  client = "clientCert, clientKey or clientKeyPassword cannot be used for %s",
  pin = "the key of %s is none of those in pinnedKey",
  refused = "%s ends the TLS connection after the handshake; it may want %s clientCert",
  handshake = "no TLS connection to %s",
}

local OLD_ENCRYPTION = "; its encryption is too old for this OpenSSL: make PEM of PKCS#12 with "
  .. "openssl pkcs12 -legacy -nodes -in FILE -out FILE.pem"

-- The same of a proxy, to which none of the bank's options applies.
local proxy_tls_advice = {
  trust = "%s is not trusted; check proxyCaFile and the host name of that proxy",
  store = "proxyCaFile cannot be used for %s; it must be readable and hold PEM certificates",
  refused = "%s ends the TLS connection; it may want a client certificate, which is not supported",
  handshake = "no TLS connection to %s",
}

-- By what was under way.
local timeout_advice = {
  name = "the host name of %s was not found in time",
  connection = "cannot connect to %s in time",
  tunnel = "no connection to %s in time",
  handshake = "the TLS handshake with %s was not finished in time",
  answer = "no answer from %s in time",
}

local transfer_advice = {
  resolve = "the host name of %s cannot be resolved",
  connect = "cannot connect to %s",
  network = "the connection to %s broke",
  too_large = "the answer of %s is larger than a token reply can be",
}

--- A proxy's URL without what it may carry before its last @: nobody has checked one that comes
-- from the environment.
---@param url string
---@return string
function diagnosis.shown_proxy(url)
  local scheme, rest = url:match "^(%a[%w+.-]*:/+)(.*)$"
  return core.printable((scheme or "") .. (rest or url):gsub("^.*@", "…@"))
end

-- The proxy, and the variable that names it.
local function proxy_of(settings)
  local url, variable = core.proxy(settings.endpoint, settings.url)
  if not url then return "the proxy" end
  return ("the proxy %s%s"):format(diagnosis.shown_proxy(url),
    variable and " (from " .. variable .. ")" or "")
end

-- Whom it failed with.
local function blamed(result, settings)
  return result.atProxy and proxy_of(settings) or settings.origin
end

local function timed_out(result, settings)
  local step, limit = result.step or "answer", result.limit or "timeout"
  local whom = blamed(result, settings)
  if limit == "idle" then   -- of a large body; its limit is the request's timeout
    return ("no byte of a body moved between here and %s in %g s; raise timeout"):format(whom,
      settings.timeout)
  end
  if step == "tunnel" then whom = settings.origin .. " through " .. proxy_of(settings) end
  return ("%s; raise %s (%g s)"):format(timeout_advice[step]:format(whom), limit, settings[limit])
end

local function tls_failed(result, settings)
  local templates = result.atProxy and proxy_tls_advice or tls_advice
  local template = templates[result.tlsFault] or templates.handshake
  if result.tlsFault == "handshake" and not result.atProxy then
    -- GnuTLS builds do not say that a client certificate was missing or could not be used.
    if settings.clientCert then
      template = template .. "; check clientCert, clientKey and clientKeyPassword"
    end
    -- Behind such a proxy OpenSSL does not say that it does not trust a certificate.
    local proxy = core.proxy(settings.endpoint, settings.url)
    if proxy and proxy:lower():find "^https://" then template = template .. "; check caFile" end
  end
  return template:format(blamed(result, settings), settings.clientCert and "another" or "a")
end

local function message_of(result, settings)
  local code = result.failure
  if code == "timeout" then return timed_out(result, settings) end
  if code == "tls" then return tls_failed(result, settings) end
  if code == "proxy" then
    return ("%s does not lead to %s"):format(proxy_of(settings), settings.origin)
  end
  return transfer_advice[code]:format(settings.origin)
end

--- What a failed transfer means.
---@param result table see transfer:result() in csrc/lua/transfer.c
---@param settings table what options.read made
---@return corebank.auth.Problem
function diagnosis.of_failure(result, settings)
  local message = message_of(result, settings)
  if result.detail then   -- which may quote the server's certificate
    message = ("%s (%s)"):format(message, settings.clientSecret:redact(result.detail))
  end
  -- OpenSSL 3 of a file that Windows, Java or OpenSSL 1 wrote; it blames the passphrase besides.
  if result.tlsFault == "client" and (result.detail or ""):find("unsupported", 1, true) then
    message = message .. OLD_ENCRYPTION
  end
  if result.failure == "proxy" and result.detail == "status 407" then
    message = message .. "; it wants credentials of its own: check those in the proxy URL"
  end
  -- A proxy that answered will answer the same again.
  local isFinal = result.failure == "proxy" and result.begun
  return problem.new(result.failure, message, isFinal and {retryable = false} or nil)
end

return diagnosis
