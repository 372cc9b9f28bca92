--- What the error log and the counters of a bank are told: one line when something changes, not one
-- for each request. No line holds a secret, a token or a header.

local core = require "corebank.auth.core"

local ngx = ngx

local FAULT_AGAIN = 60    -- seconds until the same fault is told again: each request may meet it
local MOST_UNKNOWN = 20   -- names without a bank that are told of; they may come from requests

local notes = {}

local function log(level, bank, ...)
  ngx.log(level, "corebank-auth: bank '", bank.name, "': ", ...)
end

local function count(bank, counter)
  if bank.metrics then bank.metrics:add(counter) end
end

-- ---- a client's events -------------------------------------------------------------------------

-- What the bank's client says of it is fit for a log.
local function note_trouble(bank, event)
  local trouble = event.code .. (event.status and ", status " .. event.status or "")
  if bank.trouble ~= trouble then
    log(ngx.WARN, bank, "no token from the bank (", event.code, "): ",
      bank.client:explain().problem)
  end
  bank.trouble = trouble
end

--- There is a token again.
function notes.recovery(bank)
  if bank.trouble then log(ngx.WARN, bank, "tokens are back") end
  bank.trouble = nil
end

local function note_store_fault(bank, event)
  local fault = tostring(event.fault)
  if bank.storeFault ~= fault then
    log(ngx.WARN, bank, "the shared dict cannot be used (", fault,
      "); tokens are fetched without it")
  end
  bank.storeFault, bank.hasStoreFailed = fault, true
end

-- A token has been fetched or found: whether the dict has failed since the one before.
local function note_store_recovery(bank)
  if bank.storeFault and not bank.hasStoreFailed then
    log(ngx.WARN, bank, "the shared dict is used again")
    bank.storeFault = nil
  end
  bank.hasStoreFailed = false
end

local function count_fetch(bank, event)
  count(bank, "fetches:" .. event.name)
  if bank.metrics then bank.metrics:add_duration(event.seconds) end
end

local listeners = {}

function listeners.fetched(bank, event)
  count_fetch(bank, event)
  notes.recovery(bank)
  note_store_recovery(bank)
end

function listeners.failed(bank, event)
  if event.attempts > 0 then count_fetch(bank, event) end   -- or another worker's took too long
  note_trouble(bank, event)
end

listeners.refreshed, listeners.denied = listeners.fetched, listeners.failed

-- Another worker has fetched one.
function listeners.found(bank)
  notes.recovery(bank)
  note_store_recovery(bank)
end

-- Told where the waiting was: our own timer waits after a rejection, and nobody minds.
function listeners.waited(bank)
  if ngx.get_phase() ~= "timer" then count(bank, "waits") end
end

function listeners.invalidated(bank, event)
  count(bank, "invalidated")
  if event.alike and not bank.isRejectedAlike then
    log(ngx.WARN, bank, "the API rejects fresh tokens as well: somebody else seems to revoke ",
      "them, or it is not the token; rejections count less and less often, down to once in ",
      "5 minutes")
  end
  bank.isRejectedAlike = event.alike
end

function listeners.store_failed(bank, event)
  count(bank, "store_faults")
  note_store_fault(bank, event)
end

--- Takes an event of the bank's client.
function notes.hear(bank, event)
  local listener = listeners[event.name]
  if listener then listener(bank, event) end
end

-- ---- setup -------------------------------------------------------------------------------------

--- What came of a try to set a bank up: told when it is not what came of the last one.
---@param mistake string? nil: it is set up
function notes.setup(bank, mistake)
  if mistake and mistake ~= bank.mistake then
    log(ngx.ERR, bank, bank.where, ": setup: ", mistake,
      "; its requests are answered 503, and it is tried again")
  elseif bank.mistake and not mistake then
    log(ngx.WARN, bank, "is set up now")
  end
end

--- A call of setup that names no bank.
function notes.nameless(where, mistake)
  ngx.log(ngx.ERR, "corebank-auth: ", where, ": setup: ", mistake)
end

function notes.replaced(bank)
  log(ngx.NOTICE, bank, "is set up anew")
end

-- ---- requests ----------------------------------------------------------------------------------

local unknown, unknown_left = {}, MOST_UNKNOWN

--- A name that was asked for and never set up.
function notes.unknown(name)
  if unknown[name] or unknown_left == 0 then return end
  unknown[name], unknown_left = true, unknown_left - 1
  ngx.log(ngx.ERR, "corebank-auth: no bank '", (name:sub(1, 40):gsub("%c", "?")),
    "' was set up in this worker; see the error of setup in init_worker_by_lua*, above")
end

local unset = {}

--- A location in which the variable was not set.
function notes.unset(variable)
  if unset[variable] then return end
  unset[variable] = true
  local name = "$" .. variable
  ngx.log(ngx.ERR, ("corebank-auth: inject: the variable %s is not set here; add `set %s \"\";` "
    .. "and `proxy_set_header Authorization %s;` to the location that calls inject()")
    :format(name, name, name))
end

--- A subrequest to a bank whose variable another one has, too.
function notes.shared(bank, other, variable)
  if bank.isSharingTold then return end
  bank.isSharingTold = true
  local name = "$" .. variable
  log(ngx.ERR, bank, "inject(): the variable ", name, " is also that of bank '", other.name,
    "', and a subrequest shares its variables with the request that it is part of; it is refused: ",
    "give each of the two a `variable` of its own in setup, and name it in `set` and ",
    "`proxy_set_header`")
end

--- Something raised.
function notes.fault(bank, what, fault)
  local text, now = what .. " ended with an error: " .. tostring(fault), core.boot()
  if bank.fault == text and now < bank.faultDue then return end
  bank.fault, bank.faultDue = text, now + FAULT_AGAIN
  log(ngx.ERR, bank, text)
end

local timer_fault

--- What came of asking for a timer: told when it is not what came of the last time.
---@param fault string? nil: there is one
function notes.timer(fault)
  if fault and fault ~= timer_fault then
    ngx.log(ngx.WARN, "corebank-auth: no timer (", tostring(fault),
      "); until there is one, tokens are refreshed by requests only")
  end
  timer_fault = fault
end

return notes
