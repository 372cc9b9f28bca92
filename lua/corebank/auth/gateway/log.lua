--- The lines that banks write to the error log. A line is written when something changes, not for
-- each request. No line contains a secret, a token or a header.

local core = require "corebank.auth.core"

local ngx = ngx

local FAULT_AGAIN = 60    -- seconds until the same fault is logged again
local MOST_UNKNOWN = 20   -- unknown names that are logged; they may come from requests
local MOST_TOLD = 100     -- lines about plugins that are logged once each

local log = {}

local function write(level, bank, ...)
  ngx.log(level, "corebank-auth: bank '", bank.name, "': ", ...)
end

-- ---- tokens and the dict -----------------------------------------------------------------------

--- The bank gave no token. The client's message contains no secret.
function log.trouble(bank, event)
  local trouble = event.code .. (event.status and ", status " .. event.status or "")
  if bank.trouble ~= trouble then
    write(ngx.WARN, bank, "no token from the bank (", event.code, "): ",
      bank.client:explain().problem)
  end
  bank.trouble = trouble
end

function log.recovery(bank)
  if bank.trouble then write(ngx.WARN, bank, "there are tokens again") end
  bank.trouble = nil
end

function log.store_fault(bank, event)
  local fault = tostring(event.fault)
  if bank.storeFault ~= fault then
    write(ngx.WARN, bank, "the store cannot be used (", fault,
      "); tokens are fetched all the same")
  end
  bank.storeFault, bank.hasStoreFailed = fault, true
end

--- There is a token again. The store works if no call of it has failed since the previous token.
function log.store_recovery(bank)
  if bank.storeFault and not bank.hasStoreFailed then
    write(ngx.WARN, bank, "the store is used again")
    bank.storeFault = nil
  end
  bank.hasStoreFailed = false
end

function log.rejection(bank, event)
  if event.alike and not bank.isRejectedAlike then
    write(ngx.WARN, bank, "the API rejects new tokens as well: another program seems to revoke ",
      "them, or the token is not the cause; rejections now count after longer pauses, of up to ",
      "5 minutes")
  end
  bank.isRejectedAlike = event.alike
end

-- ---- setup -------------------------------------------------------------------------------------

--- The result of an attempt to set a bank up. It is logged when it differs from the last result.
---@param mistake string? nil: it is set up
function log.setup(bank, mistake)
  if mistake and mistake ~= bank.mistake then
    write(ngx.ERR, bank, bank.where, ": setup: ", mistake,
      "; its requests are answered 503, and it is tried again")
  elseif bank.mistake and not mistake then
    write(ngx.WARN, bank, "is set up now")
  end
end

--- A call of setup that names no bank.
function log.nameless(where, mistake)
  ngx.log(ngx.ERR, "corebank-auth: ", where, ": setup: ", mistake)
end

function log.replaced(bank)
  write(ngx.NOTICE, bank, "is set up again")
end

-- ---- requests ----------------------------------------------------------------------------------

local unknown, unknown_left = {}, MOST_UNKNOWN

--- A request asked for a bank that was not set up.
function log.unknown(name)
  if unknown[name] or unknown_left == 0 then return end
  unknown[name], unknown_left = true, unknown_left - 1
  ngx.log(ngx.ERR, "corebank-auth: no bank '", (name:sub(1, 40):gsub("%c", "?")),
    "' was set up in this worker; see the error of setup in init_worker_by_lua*, above")
end

local unset = {}

--- The location does not set the variable.
function log.unset(variable)
  if unset[variable] then return end
  unset[variable] = true
  local name = "$" .. variable
  ngx.log(ngx.ERR, ("corebank-auth: inject: the variable %s is not set here; add `set %s \"\";` "
    .. "and `proxy_set_header Authorization %s;` to the location that calls inject()")
    :format(name, name, name))
end

--- A subrequest was refused, because another bank uses the same variable.
function log.shared(bank, other, variable)
  if bank.isSharingTold then return end
  bank.isSharingTold = true
  local name = "$" .. variable
  write(ngx.ERR, bank, "inject(): the variable ", name, " is also that of bank '", other.name,
    "', and a subrequest shares its variables with the request that it is part of; it is refused: ",
    "give each of the two a `variable` of its own in setup, and name it in `set` and ",
    "`proxy_set_header`")
end

function log.fault(bank, what, fault)
  local text, now = what .. " ended with an error: " .. tostring(fault), core.boot()
  if bank.fault == text and now < bank.faultDue then return end
  bank.fault, bank.faultDue = text, now + FAULT_AGAIN
  write(ngx.ERR, bank, text)
end

-- ---- plugins -----------------------------------------------------------------------------------

local told, told_left = {}, MOST_TOLD

local function tell_once(level, text)
  if told[text] or told_left == 0 then return end
  told[text], told_left = true, told_left - 1
  ngx.log(level, text)
end

--- The default dict of a plugin does not exist.
function log.no_dict(name)
  tell_once(ngx.WARN, ("corebank-auth: plugin: there is no lua_shared_dict '%s', so each worker "
    .. "fetches tokens of its own; see docs/troubleshooting.md"):format(name))
end

--- A request is mirrored, and the mirror would get the token.
function log.mirrored()
  tell_once(ngx.ERR, "corebank-auth: plugin: proxy-mirror would send the token to another server; "
    .. "requests that are mirrored are answered 503: use one of the two plugins on a route")
end

-- ---- timers ------------------------------------------------------------------------------------

function log.beat(fault)
  tell_once(ngx.ERR, "corebank-auth: a beat of the pulse ended with an error: " .. tostring(fault))
end

local timer_fault

--- Whether nginx gave a timer. This is logged when it differs from the last time.
---@param fault string? nil: there is a timer
function log.timer(fault)
  if fault and fault ~= timer_fault then
    ngx.log(ngx.WARN, "corebank-auth: no timer (", tostring(fault),
      "); until there is one, tokens are refreshed by requests only")
  end
  timer_fault = fault
end

return log
