--- One authenticate call: tries, redirects, back-off. All policy of a single call is here.
--
-- `run` is straight-line code. It waits by its host's `await` and `sleep`: see host/scheduler.lua.

local core = require "corebank.auth.core"
local problem = require "corebank.auth.exchange.problem"
local secret = require "corebank.auth.options.secret"
local token = require "corebank.auth.exchange.token"

local FIRST_PAUSE = 0.25      -- seconds, doubled at each further try
local LONGEST_PAUSE = 8
local LONGEST_RETRY_AFTER = 300
local MOST_REDIRECTS = 3
local JSON_HEADERS = {"Content-Type: application/json", "Accept: application/json"}
local POST_KEPT = {[301] = true, [302] = true, [307] = true, [308] = true}

local exchange = {}

-- Seconds that a Retry-After asks for, by the bank's clock where it shows one; of several the
-- longest.
local function retry_after(result, system)
  local seconds = result.retryAfter
  if result.retryAt then
    local untilThen = result.retryAt - (result.date or system.wall())
    seconds = math.max(seconds or untilThen, untilThen)
  end
  if not seconds then return nil end
  return math.max(0, math.min(seconds, LONGEST_RETRY_AFTER))
end

-- What the bank answered, with the credentials blanked: the secret as it is now. What it was before
-- another call, which shares it, replaced it, nobody knows any more, so then nothing is shown.
local function excerpt(settings, transfer, changes)
  if secret.changes ~= changes then return nil end
  return transfer:excerpt(settings.clientId, settings.clientSecret)
end

-- Where a redirect leads, when that is the same origin; else nil and a problem.
local function follow(settings, result, url, system, changes)
  local target = result.location and result.location ~= "" and system.url(result.location, url)
  local from = system.url(url)
  if target and target.scheme == from.scheme and target.host == from.host
    and target.port == from.port and not target.hasUser then
    return target.text
  end
  local where = "to an address that cannot be read"
  if target and secret.changes == changes then
    where = ("to %s://%s%s"):format(target.scheme, target.host,
      target.port ~= "" and ":" .. target.port or "")
    -- a hostile server may have put it there, or what a terminal obeys
    where = core.printable(settings.clientSecret:redact(where))
  end
  return nil, problem.new("redirect", ("%s redirects %s, where the secret is not sent; "
    .. "if that is the bank, make it the baseUrl"):format(settings.origin, where),
    {status = result.status})
end

-- Anything but a token reply: a problem; or nil and the URL to go on with. A second value true says
-- that trying again would be wrong although the problem is retryable. `changes` are those of
-- secrets before the try; `fault` is what is wrong with a 2xx, and `final` says that the bank would
-- answer the same again.
local function refuse(settings, transfer, url, system, changes, fault, final)
  local result = transfer:result()
  if result.failure then
    -- Once an answer had begun the bank has acted on the request: not ours to repeat.
    return problem.from_failure(result, settings), result.begun
  end
  local target, trouble
  if POST_KEPT[result.status] then
    target, trouble = follow(settings, result, url, system, changes)
    if target then return nil, target end
  else
    local make = fault and problem.from_reply or problem.from_status
    trouble = make(result, settings, excerpt(settings, transfer, changes), fault, final)
  end
  trouble.retryAfter = retry_after(result, system)
  trouble.requestId = secret.changes == changes
    and transfer:request_id(settings.clientId, settings.clientSecret) or nil
  return trouble
end

local function expired_on_arrival(settings, status, tokenValiditySec)
  local why = tokenValiditySec and ": it is valid for no longer than the answer took"
    or " by its expirationTime; compare this machine's clock with the bank's"
  return problem.new("expired", ("the token from %s had already expired on arrival%s"):format(
    settings.origin, why), {status = status})
end

-- One try, begun now: a POST and the redirects it meets. Returns a token, or nil and a problem; a
-- third value true says that trying again would be wrong.
local function try(settings, now, deadline, system, host, changes)
  local url = settings.url
  for _ = 0, MOST_REDIRECTS do
    local transfer = system.transfer(settings.endpoint, {url = url, method = "POST",
      headers = JSON_HEADERS, clientId = settings.clientId,
      clientSecret = settings.clientSecret}, deadline - now)
    settings.transfer = transfer   -- for whoever catches an error: it holds the secret
    local fresh, hidden = token.prepare(system)   -- while the bank is at work
    host.await(transfer)
    local accessToken, sentBoot, sentWall, date, expirationTime, tokenValiditySec, status =
      transfer:reply()
    if accessToken then   -- and the transfer has closed itself
      if token.complete(fresh, hidden, expirationTime, tokenValiditySec, accessToken, sentBoot,
        sentWall, date) then
        return fresh
      end
      return nil, expired_on_arrival(settings, status, tokenValiditySec)
    end
    -- the second and third value are what is wrong with a 2xx, then
    local trouble, extra = refuse(settings, transfer, url, system, changes, sentBoot, sentWall)
    transfer:close()
    if trouble then return nil, trouble, extra end
    url, now = extra, system.boot()
  end
  return nil, problem.new("redirect", ("%s redirects more than %d times; check baseUrl and path")
    :format(settings.origin, MOST_REDIRECTS))
end

-- How long to wait before the next try: exponential, with full jitter, and no less than asked for.
local function pause(attempt, trouble, system)
  local longest = math.min(FIRST_PAUSE * 2 ^ (attempt - 1), LONGEST_PAUSE)
  return math.max(longest * system.random(), trouble.retryAfter or 0)
end

-- Whether a denied secret has been replaced in its file. Else the problem says why, if that cannot
-- be read.
local function is_rotated(settings, trouble, changes)
  if secret.changed_since(settings.clientSecret, changes) then return true end
  local told = problem.file_fault(trouble.message, secret.fault(settings.clientSecret))
  trouble.message, trouble.secretFault = told.message, told.secretFault
  return false
end

-- Tells the caller, if it listens, how the call ended.
local function report(settings, name, attempts, seconds, trouble)
  local event = {name = name, attempts = attempts, seconds = seconds}
  if trouble then
    event.code, event.status = trouble.code, trouble.status
    event.secretFault = trouble.secretFault
  end
  settings.onEvent(event)
end

-- The seconds to wait before another try; nil when that would be wrong, or too late. A bank that
-- asks for fewer requests and does not say when gets no more of them in this call.
local function rest_before_retry(settings, trouble, final, attempt, deadline, system)
  if final or not trouble.retryable or attempt >= settings.attempts
    or trouble.code == "limited" and not trouble.retryAfter then
    return nil
  end
  local rest = pause(attempt, trouble, system)
  if system.boot() + rest < deadline then return rest end
end

--- The whole call.
---@param settings table what options.read made
---@param system table boot, wall, random, url and transfer, as in corebank.auth.core
---@param host {await: fun(transfer: table), sleep: fun(seconds: number)}
---@param deadline number? on the boot clock, when less than `timeout` is left
---@param elsewhere (fun(): corebank.auth.Token?)? what others may have got with a changed secret
---@return corebank.auth.Token? token
---@return string? message
---@return corebank.auth.Problem? problem
---@return integer? attempts tries made, with a token of the bank's
function exchange.run(settings, system, host, deadline, elsewhere)
  local started = system.boot()
  deadline = deadline or started + settings.timeout
  local attempt, now, renewed = 0, started, false
  while true do
    attempt = attempt + 1
    local changes = secret.changes
    local fresh, trouble, final = try(settings, now, deadline, system, host, changes)
    if fresh then
      if settings.onEvent then report(settings, "fetched", attempt, system.boot() - started) end
      return fresh, nil, nil, attempt
    end
    trouble.attempts = attempt
    local rest = rest_before_retry(settings, trouble, final, attempt, deadline, system)
    if problem.is_refusal(trouble) and not renewed and system.boot() < deadline
      and is_rotated(settings, trouble, changes) then
      local there = elsewhere and elsewhere()
      if there then return there end
      renewed, rest = true, 0   -- rotated: once with the new one, before the caller hears of it
    end
    if not rest then
      if settings.onEvent then
        report(settings, "failed", attempt, system.boot() - started, trouble)
      end
      return nil, trouble.message, trouble
    end
    host.sleep(rest)
    now = system.boot()
  end
end

return exchange
