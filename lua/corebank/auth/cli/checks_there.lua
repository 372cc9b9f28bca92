--- The doctor's checks of the bank: host name, connection, TLS, clocks, answer. A check returns a
-- text for its line, which may be empty, and a warning or nil. A failed check ends the command.

local blocking = require "corebank.auth.host.blocking"
local calendar = require "corebank.auth.cli.calendar"
local core = require "corebank.auth.core"
local diagnosis = require "corebank.auth.exchange.diagnosis"
local exchange = require "corebank.auth.exchange.exchange"
local exits = require "corebank.auth.cli.exits"
local freshness = require "corebank.auth.client.freshness"
local token = require "corebank.auth.exchange.token"
local wording = require "corebank.auth.cli.wording"

local CLOCKS_AGREE = 2          -- seconds; the bank's clock shows whole ones
local CLOCKS_TOO_FAR = 300
local FIELDS_AGREE = 60         -- seconds between the ends that the reply's two fields mean
local CERTIFICATE_SOON = 14     -- days

-- ---- the connection ----------------------------------------------------------------------------

local STEPS = {name = "resolve", connection = "connect", tunnel = "connect", handshake = "tls"}

-- The check that the failure belongs to. A proxy's failure counts as one of the connection.
local function failed_step(found)
  local failure = found.failure
  if failure == "timeout" then return STEPS[found.step] or "tls" end
  if failure == "resolve" or failure == "proxy" and not found.address then return "resolve" end
  if failure == "connect" or failure == "proxy" or found.atProxy then return "connect" end
  if failure == "tls" or found.connected then return "tls" end
  return found.address and "connect" or "resolve"
end

-- Ends the command, in the check that the failure belongs to.
local function fail(state)
  local trouble = diagnosis.of_failure(state.found, state.settings)
  local message = trouble.message
  if trouble.code == "proxy" or state.found.atProxy and trouble.code ~= "tls" then
    message = message .. "; check --proxy, or the environment's variables for proxies"
  elseif state.failed == "resolve" then
    message = message .. "; check --base-url, and this machine's DNS"
  elseif trouble.code == "connect" then
    message = message .. "; check host and port in --base-url, and the firewall on the way"
  elseif trouble.code == "timeout" then
    message = message .. "; or a firewall drops packets"
  end
  exits.stop(exits.of(trouble.code), wording.spoken(message))
end

local function check_resolve(state)
  local settings = state.settings
  local found = core.inspect(settings.endpoint, settings.url, settings.timeout)
  state.found, state.failed = found, found.failure and failed_step(found)
  if state.failed == "resolve" then fail(state) end
  local host = core.url(settings.url).host
  return ("%s is %s"):format(found.proxied and "the proxy" or host, found.address or "known")
end

local function check_connect(state)
  local found = state.found
  if state.failed == "connect" then fail(state) end
  local took = found.connected and " in " .. ("%.0f ms"):format(found.connected * 1000) or ""
  local through = found.proxied and " through the proxy" or ""
  return state.settings.origin .. through .. took
end

local function certificate(found)
  local ends, day = calendar.epoch(found.certificateEnd or "")
  if not ends then return ", certificate until an unknown day" end
  local days = math.floor((ends - core.wall()) / 86400)
  return (", certificate until %s, %s%d days"):format(day,
    days < CERTIFICATE_SOON and "only " or "", days)
end

local function check_tls(state)
  local found = state.found
  if state.failed then fail(state) end
  if state.settings.url:find("^http:") then return "none: http:// is not encrypted" end
  return ("TLS %s%s"):format(found.tlsVersion or "of an unknown version", certificate(found))
end

-- ---- the answer --------------------------------------------------------------------------------

local function ask(state)
  local function await(transfer)
    blocking.await(transfer)
    local date = transfer:result().date
    state.date, state.ahead = date, date and core.wall() - date
  end
  local call = exchange.new{settings = state.settings, system = core,
    host = {await = await, sleep = blocking.sleep}}
  local got, _, trouble = call:run()
  if got then got, trouble = freshness.check_leeway(state.settings, got, call) end
  state.token, state.problem = got, trouble
end

local function check_clock(state)
  ask(state)
  local ahead = state.ahead
  if not ahead then return state.token and "the bank does not tell the time" or "" end
  if math.abs(ahead) < CLOCKS_AGREE then return "as the bank's" end
  local side = ahead > 0 and "ahead of" or "behind"
  local text = ("%.0f s %s the bank's"):format(math.abs(ahead), side)
  if math.abs(ahead) < CLOCKS_TOO_FAR then return text end
  exits.stop(exits.UNUSABLE, "this machine's is " .. text .. "; set it, by NTP for example")
end

-- A warning when the reply's two fields do not mean the same end.
local function contradiction(state)
  local seconds, ends = state.token.tokenValiditySec, state.token.expirationTime
  if not seconds or not ends or ends <= 0 then return nil end
  local left = token.epoch(ends) - (state.date or core.wall())
  if math.abs(left - seconds) <= FIELDS_AGREE then return nil end
  return ("the bank's tokenValiditySec is %.0f s, and its expirationTime is %s by %s; the token is "
    .. "taken for valid for %.0f s. Ask the bank in which unit and time zone expirationTime is"
    ):format(seconds, left > 0 and ("%.0f s ahead"):format(left) or ("%.0f s ago"):format(-left),
    state.date and "its Date" or "this machine's clock", state.token:remaining())
end

local function check_answer(state)
  if state.token then return tostring(state.token), contradiction(state) end
  local message, hint = wording.message(state.problem), wording.hint(state.problem)
  exits.stop(exits.of(state.problem.code), hint and message .. "; " .. hint or message)
end

return {{"resolve", check_resolve}, {"connect", check_connect}, {"tls", check_tls},
  {"clock", check_clock}, {"answer", check_answer}}
