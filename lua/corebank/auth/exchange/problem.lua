--- The closed list of problem codes, and problems as objects. diagnosis.lua chooses the code.

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
---@field sent "no"|"maybe"|"yes"|nil of a request: whether it left for the API
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

-- What no dump of a problem shows: the bank's answer, and the message without a secret's fault.
local bodies = setmetatable({}, {__mode = "k"})
local plainMessages = setmetatable({}, {__mode = "k"})

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
---@param fields table? any but code and message; retryable, where it is not the code's own
---@param body string? what problem:body() returns
---@return corebank.auth.Problem
function problem.new(code, message, fields, body)
  assert(retryable[code] ~= nil, code)
  local self = {code = code, message = message, retryable = retryable[code], attempts = 1}
  for name, value in pairs(fields or {}) do self[name] = value end
  if self.secretFault then
    self.message = ("%s; its file cannot be read again: %s"):format(message, self.secretFault)
  end
  bodies[self], plainMessages[self] = body, message
  return setmetatable(self, Problem)
end

--- The message without what is wrong with the secret's file, which may be otherwise now.
---@param trouble corebank.auth.Problem
---@return string
function problem.plain_message(trouble)
  return plainMessages[trouble]
end

local COPIED = {"status", "retryable", "retryAfter", "attempts", "requestId"}

--- The same problem anew, with other fields.
---@param old corebank.auth.Problem
---@param changes table
---@return corebank.auth.Problem
function problem.again(old, changes)
  local fields = {}
  for _, name in ipairs(COPIED) do fields[name] = old[name] end
  for name, value in pairs(changes) do fields[name] = value end
  return problem.new(old.code, plainMessages[old], fields, bodies[old])
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

return problem
