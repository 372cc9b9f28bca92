--- One call to the bank: retries, redirects, back-off, and another try when the secret was
-- replaced. diagnosis.lua decides which problems are retried.
--
-- `run` waits through its host. Code that abandons a call while it waits must call `close`,
-- because the open transfer has the secret in its memory.

local backoff = require "corebank.auth.exchange.backoff"
local core = require "corebank.auth.core"
local diagnosis = require "corebank.auth.exchange.diagnosis"
local problem = require "corebank.auth.exchange.problem"
local secret = require "corebank.auth.options.secret"
local token = require "corebank.auth.exchange.token"

local LONGEST_RETRY_AFTER = 300   -- seconds
local MOST_REDIRECTS = 3
local JSON_HEADERS = {"Content-Type: application/json", "Accept: application/json"}
local POST_KEPT = {[301] = true, [302] = true, [307] = true, [308] = true}

---@class corebank.auth.Call
---@field settings table what options.read made
---@field system table boot, wall, random, url and transfer, as in corebank.auth.core
---@field host {await: fun(transfer: table), sleep: fun(seconds: number)} see host/scheduler.lua
---@field deadline number? on the boot clock; default: after `timeout`
---@field tell fun(event: table)? called once, when the call has ended
---@field isOver (fun(): boolean)? called when the secret has changed: whether the call can end,
--- because another call has fetched a token with the new secret
---@field attempts integer number of tries, the current one included
---@field status integer? of the answer with a token
---@field transfer table? the open one
---@field changes integer secret.changes when the try began
---@field hasRotated boolean whether a try with a replaced secret has begun
---@field secretFault string? why the secret's file could not be read again, after a refusal
local Call = {}
Call.__index = Call

-- Whether another call that shares the secret may have replaced it since it was sent. The secret
-- that was sent is then unknown, and cannot be redacted in messages.
local function has_secret_changed(call)
  return secret.changes ~= call.changes
end

-- ---- the outcome of a POST ---------------------------------------------------------------------

-- The URL that a redirect leads to if it has the same origin; else nil and a problem.
local function redirect_target(call, result, url)
  local system = call.system
  local target = result.location and result.location ~= "" and system.url(result.location, url)
  local from = system.url(url)
  if target and target.scheme == from.scheme and target.host == from.host
    and target.port == from.port and not target.hasUser then
    return target.text
  end
  local where = "to an address that cannot be read"
  if target and not has_secret_changed(call) then
    where = ("to %s://%s%s"):format(target.scheme, target.host,
      target.port ~= "" and ":" .. target.port or "")
    -- A hostile server may have put the secret there, or control characters of a terminal.
    where = core.printable(call.settings.clientSecret:redact(where))
  end
  return nil, problem.new("redirect", ("%s redirects %s, where the secret is not sent; "
    .. "if that is the bank, make it the baseUrl"):format(call.settings.origin, where),
    {status = result.status})
end

-- What an answer without a token means: a problem, and true if another try would be wrong although
-- the problem is retryable; or nil, nil and the URL of a redirect to follow. `fault` says what is
-- wrong with a 2xx, and `isFinal` that the bank would give the same answer again.
local function judge(call, url, fault, isFinal)
  local settings, transfer = call.settings, call.transfer
  local result = transfer:result()
  if result.failure then
    -- An answer that has begun shows that the bank acted on the request: it is not repeated.
    return diagnosis.of_failure(result, settings), result.begun
  end
  local isHidden = has_secret_changed(call)
  local trouble, target
  if POST_KEPT[result.status] then
    target, trouble = redirect_target(call, result, url)
    if target then return nil, nil, target end
  else
    local body = not isHidden and transfer:excerpt(settings.clientId, settings.clientSecret) or nil
    trouble = diagnosis.of_answer(result, settings, body, fault, isFinal)
  end
  local seconds = backoff.retry_after(result, call.system)
  trouble.retryAfter = seconds and math.min(seconds, LONGEST_RETRY_AFTER)
  trouble.requestId = not isHidden
    and transfer:request_id(settings.clientId, settings.clientSecret) or nil
  return trouble
end

-- ---- one try -----------------------------------------------------------------------------------

-- One POST. Returns a token; or nil and what `judge` returns.
local function post(call, url)
  local settings, system = call.settings, call.system
  local transfer = system.transfer(settings.endpoint, {url = url, method = "POST",
    headers = JSON_HEADERS, clientId = settings.clientId, clientSecret = settings.clientSecret},
    call.deadline - system.boot())
  call.transfer = transfer
  call.host.await(transfer)
  local accessToken, sentBoot, sentWall, date, expirationTime, tokenValiditySec, status =
    transfer:reply()
  if accessToken then
    call.transfer, call.status = nil, status   -- it has closed itself
    local fresh = token.of_reply(system, accessToken, sentBoot, sentWall, date, expirationTime,
      tokenValiditySec)
    if fresh then return fresh end
    local why = tokenValiditySec and ": it is valid for no longer than the answer took"
      or " by its expirationTime; compare this machine's clock with the bank's"
    return nil, problem.new("expired", ("the token from %s had already expired on arrival%s")
      :format(settings.origin, why), {status = status})
  end
  local fault, isFinal = sentBoot, sentWall   -- of a 2xx without a token
  return nil, judge(call, url, fault, isFinal)
end

-- One try: a POST and the redirects it is answered with. Returns a token; or nil, a problem, and
-- whether another try would be wrong.
local function try(call)
  local url = call.settings.url
  call.changes = secret.changes
  call.attempts = call.attempts + 1
  for _ = 0, MOST_REDIRECTS do
    local fresh, trouble, isFinal, target = post(call, url)
    call:close()
    if not target then return fresh, trouble, isFinal end
    url = target
  end
  return nil, problem.new("redirect", ("%s redirects more than %d times; check baseUrl and path")
    :format(call.settings.origin, MOST_REDIRECTS))
end

-- ---- the whole call ----------------------------------------------------------------------------

-- The seconds to wait before another try, at least the bank's Retry-After; nil if a try would be
-- wrong or too late. After a 429 without Retry-After the call makes no other try.
local function pause_before_retry(call, trouble, isFinal)
  if isFinal or not trouble.retryable or call.attempts >= call.settings.attempts
    or trouble.code == "limited" and not trouble.retryAfter then
    return nil
  end
  local seconds = math.max(backoff.pause(call.attempts, call.system.random),
    trouble.retryAfter or 0)
  if call.system.boot() + seconds < call.deadline then return seconds end
end

-- Whether the refused secret has been replaced in its file since it was sent. Then the next try
-- uses the new secret before the caller sees the refusal. This happens once in a call.
local function is_rotated(call, trouble)
  if call.hasRotated or not problem.is_refusal(trouble)
    or call.system.boot() >= call.deadline then
    return false
  end
  call.hasRotated = secret.changed_since(call.settings.clientSecret, call.changes)
  call.secretFault = secret.fault(call.settings.clientSecret)
  return call.hasRotated
end

-- Tries until there is a token, or no other try may follow.
local function run_tries(call)
  while true do
    local fresh, trouble, isFinal = try(call)
    if fresh then return fresh end
    if is_rotated(call, trouble) then
      if call.isOver and call.isOver() then return nil end
    else
      local seconds = pause_before_retry(call, trouble, isFinal)
      if not seconds then return nil, trouble end
      call.host.sleep(seconds)
    end
  end
end

local function event_of(call, seconds, trouble)
  if not trouble then return {name = "fetched", attempts = call.attempts, seconds = seconds} end
  return {name = "failed", attempts = call.attempts, seconds = seconds, code = trouble.code,
    status = trouble.status, secretFault = trouble.secretFault}
end

--- The whole call.
---@return corebank.auth.Token? token nil without a problem if `isOver` ended the call
---@return string? message
---@return corebank.auth.Problem? problem
function Call:run()
  local started = self.system.boot()
  self.deadline = self.deadline or started + self.settings.timeout
  local fresh, trouble = run_tries(self)
  if trouble then
    trouble = problem.again(trouble, {attempts = self.attempts, secretFault = self.secretFault})
  end
  if self.tell then self.tell(event_of(self, self.system.boot() - started, trouble)) end
  if trouble then return nil, trouble.message, trouble end
  return fresh
end

--- Ends the open transfer and wipes its copy of the secret.
function Call:close()
  local transfer = self.transfer
  self.transfer = nil
  if transfer then transfer:close() end
end

local exchange = {}

--- Makes a call.
---@param fields {settings: table, system: table, host: table, deadline: number?,
--- tell: function?, isOver: function?} as corebank.auth.Call has them
---@return corebank.auth.Call
function exchange.new(fields)
  fields.attempts, fields.hasRotated = 0, false
  return setmetatable(fields, Call)
end

--- A whole call outside of tasks. Returns what `run` returns. The call is always closed.
---@param fields table as for `new`
function exchange.call(fields)
  local call = exchange.new(fields)
  local ok, fresh, message, trouble = pcall(call.run, call)
  call:close()
  if not ok then error(fresh, 0) end
  return fresh, message, trouble
end

return exchange
