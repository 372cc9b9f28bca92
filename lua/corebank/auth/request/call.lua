--- One request to the API from beginning to end: the token, the tries, and one more try with
-- another token after a 401.
--
-- `run` waits through its host. Code that abandons a call while it waits must call `close`.

local api_url = require "corebank.auth.options.api_url"
local backoff = require "corebank.auth.exchange.backoff"
local diagnosis = require "corebank.auth.exchange.diagnosis"
local problem = require "corebank.auth.exchange.problem"
local new_reply = require "corebank.auth.request.reply"
local pump = require "corebank.auth.request.pump"

-- The statuses with which the API asks for another try later.
local ASKS_FOR_LATER = {[429] = true, [503] = true}

---@class corebank.auth.RequestCall
---@field request corebank.auth.Request
---@field settings corebank.auth.Settings
---@field client corebank.auth.Client only system, host, peek, invalidate and isClosed are used
---@field get_token fun(client: corebank.auth.Client, deadline: number): corebank.auth.Token?,
--- string?, corebank.auth.Problem?
---@field attempts integer how many tries have begun
---@field transfer table? the open transfer
local Call = {}
Call.__index = Call

-- ---- one try -----------------------------------------------------------------------------------

-- The facts that diagnosis.lua needs for the message of a failure.
local function place_of(call)
  local settings = call.settings
  local url = call.request.fields.url
  local origin = api_url.origin(call.client.system.url(url))
  return {origin = origin, url = url, endpoint = settings.endpoint,
    clientSecret = settings.clientSecret, clientCert = settings.clientCert,
    timeout = call.request.timeout, connectTimeout = settings.connectTimeout}
end

local function failure_of(call, result)
  local trouble
  local place = place_of(call)
  if result.failure ~= "too_large" then
    trouble = diagnosis.of_failure(result, place)
  elseif call.request.sink then
    trouble = problem.new("too_large", ("the headers of an answer of %s are larger than 64 KiB")
      :format(place.origin))
  else
    trouble = problem.new("too_large", ("the answer of %s is larger than maxBytes (%d); raise it, "
      .. "or use into"):format(place.origin, call.request.fields.maxBytes))
  end
  trouble.sent = result.sent
  return trouble
end

-- Sends the request once. Returns a reply, and the seconds of its Retry-After if it asks for
-- another try; or nil and a problem.
local function try(call, token)
  local request, settings, client = call.request, call.settings, call.client
  local system, host = client.system, client.host
  local fields, source, sink = request.fields, request.source, request.sink
  if source and call.attempts > 1 then source:rewind() end
  fields.headers[1] = "Authorization: " .. token:header()
  local transfer = system.transfer(settings.endpoint, fields,
    math.max(call.deadline - system.boot(), 0.001))
  fields.headers[1] = false
  call.transfer = transfer
  if source or sink then
    pump{host = host, client = client, transfer = transfer, source = source, sink = sink, given = 0}
  else
    host.await(transfer)
  end
  if client.isClosed then
    local sent = transfer:is_done() and transfer:result().sent or "maybe"
    return nil, problem.new("closed", "the client was closed", {sent = sent})
  end
  local status = transfer:status()
  if not status then return nil, failure_of(call, transfer:result()) end
  local isTaken = sink ~= nil and status >= 200 and status <= 299
  local reply = new_reply(status, transfer, not isTaken,
    transfer:request_id(settings.clientId, settings.clientSecret))
  if isTaken then sink:finish() end
  return reply, ASKS_FOR_LATER[status] and backoff.retry_after(transfer:result(), system)
end

-- ---- the tries ---------------------------------------------------------------------------------

-- Whether the same body can be sent again, and the sink has taken nothing of an answer.
local function can_send_again(call)
  local source, sink = call.request.source, call.request.sink
  return not (source and not source:can_repeat()) and not (sink and sink.hasBegun)
end

-- The client's token, if it is another one.
local function current_token(call, token)
  local current = call.client:peek()
  if current and current.accessToken ~= token.accessToken then return current end
end

-- The token with which a request is repeated after a 401; nil when there is no other token. The API
-- did not carry out a request that it answered with 401.
local function other_token(call, token)
  local current = current_token(call, token)
  if current then return current end
  local counts, rest = call.client:invalidate(token)
  -- A rejection counted a moment ago, so the bank is not asked. The store may have another token.
  if not counts and rest then return current_token(call, token) end
  local fresh = call.get_token(call.client, call.deadline)
  if fresh and fresh.accessToken ~= token.accessToken then return fresh end
end

local function may_repeat(call, reply, trouble)
  local request = call.request
  if call.attempts >= request.attempts or not can_send_again(call) then return false end
  if reply then return ASKS_FOR_LATER[reply.status] and request.isRepeatable end
  return trouble.retryable and (trouble.sent == "no" or request.isRepeatable)
end

-- The seconds to wait before another try; nil when no try is allowed, or no time is left for one.
local function pause_before_retry(call, reply, more)
  if not may_repeat(call, reply, more) then return nil end
  local system = call.client.system
  local seconds = math.max(backoff.pause(call.attempts, system.random), reply and more or 0)
  if system.boot() + seconds < call.deadline then return seconds end
end

-- Waits, and gets the token for another try: the previous token may have expired.
local function wait_for_token(call, seconds)
  call.client.host.sleep(seconds)
  return call.get_token(call.client, call.deadline)
end

-- After the first 401: the token for sending the request again; nil when it is not sent again.
local function token_after_401(call, token)
  if can_send_again(call) and call.client.system.boot() < call.deadline then
    return other_token(call, token)
  end
  call.client:invalidate(token)
end

-- Returns a reply; or nil and a problem.
local function run_tries(call)
  local token, _, trouble = call.get_token(call.client, call.deadline)
  if not token then return nil, trouble end
  local hasChanged = false
  while true do
    call.attempts = call.attempts + 1
    local reply, more = try(call, token)   -- the seconds of a Retry-After, or a problem
    call:close_transfer()
    local other = reply and reply.status == 401 and not hasChanged and token_after_401(call, token)
    if other then
      hasChanged, token = true, other
    else
      local seconds = pause_before_retry(call, reply, more)
      token = seconds and wait_for_token(call, seconds)
      if not token then return reply, not reply and more or nil end
    end
  end
end

--- Opens the source and the sink.
---@return string? mistake
function Call:open()
  local request = self.request
  local source, sink = request.source, request.sink
  local fault = source and source:open()
  if fault then return "body cannot be read: " .. fault end
  if source then request.fields.size = source.size end
  fault = sink and sink:open()
  if fault then return "into cannot be written: " .. fault end
end

--- The whole call, after `open`.
---@return corebank.auth.Reply? reply
---@return string? message
---@return corebank.auth.Problem? problem
function Call:run()
  self.deadline = self.client.system.boot() + self.request.timeout
  local reply, trouble = run_tries(self)
  if reply then return reply end
  trouble = problem.again(trouble, {sent = trouble.sent or "no",
    attempts = math.max(self.attempts, 1)})
  return nil, trouble.message, trouble
end

function Call:close_transfer()
  local transfer = self.transfer
  self.transfer = nil
  if transfer then transfer:close() end
end

--- Ends the transfer in flight, and closes the files.
function Call:close()
  self:close_transfer()
  local source, sink = self.request.source, self.request.sink
  if source then source:close() end
  if sink then sink:close() end
end

local call = {}

--- Makes a call. The parameters are as in the class.
---@return corebank.auth.RequestCall
function call.new(request, settings, client, get_token)
  return setmetatable({request = request, settings = settings, client = client,
    get_token = get_token, attempts = 0}, Call)
end

return call
