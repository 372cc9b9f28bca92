--- What the world can do to a request, as a closed list of codes.

local core = require "corebank.auth.core"

---@alias corebank.auth.Code
---| "resolve"    # the host name has no address
---| "connect"    # nobody answers at the address
---| "proxy"      # the proxy refused
---| "tls"        # no trusted connection
---| "timeout"    # no answer in time
---| "network"    # the connection broke
---| "redirect"   # the server redirects somewhere the secret will not be sent
---| "denied"     # 400, 401, 403: these credentials are not accepted
---| "limited"    # 429
---| "server"     # 5xx
---| "status"     # any other status that is not 2xx
---| "too_large"  # the answer exceeds 64 KiB
---| "response"   # a 2xx that is no usable token reply
---| "expired"    # the token had already expired on arrival
---| "closed"     # the client was closed while waiting

---@class corebank.auth.Problem
---@field code corebank.auth.Code
---@field message string one line; holds no secret, token, header or body
---@field status integer? HTTP status, when there was an answer
---@field retryable boolean whether the same call may succeed later
---@field retryAfter number? seconds the bank asked to wait, at most 300
---@field attempts integer how many tries were made
---@field secretFault string? after a denial: why the secret's file could not be read again
---@field requestId string? by which the bank knows the request, from its answer's headers
---@field remembered true? nobody was asked: the bank said so before
local Problem = {}
Problem.__index = Problem
Problem.__metatable = false

-- code -> whether trying again later may help
local retryable = {
  resolve = true, connect = true, proxy = true, tls = false, timeout = true, network = true,
  redirect = false, denied = false, limited = true, server = true, status = false,
  too_large = false, response = true, expired = false, closed = false,
}

-- Answers are kept here and not in the problem, so that no dump of a problem shows them.
local bodies = setmetatable({}, {__mode = "k"})

--- The first 4 KiB of what the bank answered, for an integrator who needs the bank's error code.
-- The client id, the secret and whatever looks like a token are blanked. Not for logs.
---@return string? body nil when there was no answer, or one that is compressed or no text
function Problem:body()
  return bodies[self]
end

function Problem:__tostring()
  return self.message
end

local problem = {}

--- Makes a problem.
---@param code corebank.auth.Code
---@param message string
---@param fields table? status, retryAfter, attempts; retryable, where it is not the code's own
---@param body string? what problem:body() returns
---@return corebank.auth.Problem
function problem.new(code, message, fields, body)
  assert(retryable[code] ~= nil, code)
  local self = {code = code, message = message, retryable = retryable[code], attempts = 1}
  for name, value in pairs(fields or {}) do self[name] = value end
  bodies[self] = body
  return setmetatable(self, Problem)
end

local FILE_FAULT = "; its file cannot be read again: "

--- The fields of a denial's problem that say why the secret's file could not be read again.
---@param message string which may say so already, of another time
---@param fault string? nil: it could, or there is none
---@return {message: string, secretFault: string?}
function problem.file_fault(message, fault)
  local said = message:find(FILE_FAULT, 1, true)
  if said then message = message:sub(1, said - 1) end
  return {message = fault and message .. FILE_FAULT .. fault or message, secretFault = fault}
end

--- Whether this is one of the list.
---@param code any
---@return boolean
function problem.is_code(code)
  return retryable[code] ~= nil
end

--- Whether the bank has refused, and would again: these credentials, or in its own way with a 2xx
-- that brings no token. To repeat that gets an account locked.
---@param trouble corebank.auth.Problem
---@return boolean
function problem.is_refusal(trouble)
  return trouble.code == "denied" or trouble.code == "response" and not trouble.retryable
end

-- HTTP status -> code, for all that is not a 2xx or a redirect. A 407 is the proxy's only where
-- there is one that sees the request itself; else it is a strange answer of the bank.
local function code_of(status, settings)
  if status == 400 or status == 401 or status == 403 then return "denied" end
  if status == 407 and settings.url:find "^http:" and core.proxy(settings, settings.url) then
    return "proxy"
  end
  if status == 429 then return "limited" end
  if status >= 500 then return "server" end
  return "status"
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

--- What a status other than 2xx means.
---@param result table see transfer:result() in csrc/lua/transfer.c
---@param settings table what options.read made
---@param body string?
---@return corebank.auth.Problem
function problem.from_status(result, settings, body)
  local status = result.status
  local code = code_of(status, settings)
  local fields = {status = status}
  -- RFC 9110, section 15.5.9: the server gave up waiting for the request; it may be repeated.
  if status == 408 then fields.retryable = true end
  if code == "proxy" then fields.retryable = false end
  return problem.new(code, advice[code]:format(shown_status(result)), fields, body)
end

--- What a 2xx means that is no token reply.
---@param result table see transfer:result() in csrc/lua/transfer.c
---@param settings table what options.read made
---@param body string?
---@param fault string what is wrong with it, as transfer:reply() says
---@param final boolean? whether the bank would answer the same again
---@return corebank.auth.Problem
function problem.from_reply(result, settings, body, fault, final)
  local advised = not final and "check baseUrl and path"
    or fault:find("^is compressed") and "the bank, or a gateway before it, must not do that"
    or "problem:body() has the bank's own words"
  return problem.new("response", ("the answer (%s) of %s %s; %s"):format(shown_status(result),
    settings.origin, fault, advised), {status = result.status, retryable = not final}, body)
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
  refused = "%s ends the TLS connection; it may want a client certificate, and is sent none",
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
function problem.shown_proxy(url)
  local scheme, rest = url:match "^(%a[%w+.-]*:/+)(.*)$"
  return core.printable((scheme or "") .. (rest or url):gsub("^.*@", "…@"))
end

-- The proxy, and the variable that names it.
local function proxy_of(settings)
  local url, variable = core.proxy(settings, settings.url)
  if not url then return "the proxy" end
  return ("the proxy %s%s"):format(problem.shown_proxy(url),
    variable and " (from " .. variable .. ")" or "")
end

-- Whom it failed with.
local function blamed(result, settings)
  return result.atProxy and proxy_of(settings) or settings.origin
end

local function timed_out(result, settings)
  local step, limit = result.step or "answer", result.limit or "timeout"
  local whom = blamed(result, settings)
  if step == "tunnel" then whom = settings.origin .. " through " .. proxy_of(settings) end
  return ("%s; raise %s (%g s)"):format(timeout_advice[step]:format(whom), limit, settings[limit])
end

local function is_by_https_proxy(settings)
  local url = core.proxy(settings, settings.url)
  return url and url:lower():find("^https://") ~= nil
end

local function tls_failed(result, settings)
  local templates = result.atProxy and proxy_tls_advice or tls_advice
  local template = templates[result.tlsFault] or templates.handshake
  -- GnuTLS builds do not say that a client certificate was missing or could not be used.
  if result.tlsFault == "handshake" and settings.clientCert and not result.atProxy then
    template = template .. "; check clientCert, clientKey and clientKeyPassword"
  end
  -- Behind such a proxy OpenSSL does not say that it does not trust a certificate.
  if result.tlsFault == "handshake" and not result.atProxy and is_by_https_proxy(settings) then
    template = template .. "; check caFile"
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
function problem.from_failure(result, settings)
  local message = message_of(result, settings)
  if result.detail then   -- which may quote the server's certificate
    message = ("%s (%s)"):format(message, settings.clientSecret:redact(result.detail))
  end
  -- OpenSSL 3 of a file that Windows, Java or OpenSSL 1 wrote; it blames the passphrase besides.
  local detail = result.tlsFault == "client" and result.detail or ""
  if detail:find("unsupported", 1, true) then
    message = message .. OLD_ENCRYPTION
  end
  if result.failure == "proxy" and result.detail == "status 407" then
    message = message .. "; it wants credentials of its own: check those in the proxy URL"
  end
  local fields = {}
  -- A proxy that answered will answer the same again.
  if result.failure == "proxy" and result.begun then fields.retryable = false end
  return problem.new(result.failure, message, fields)
end

return problem
