-- When the bank's token ends, with a real bank: its Date, its two fields, and what the doctor says
-- when they do not fit together.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local core = require "corebank.auth.core"
local sandbox = require "spec.sandbox"
local socket = require "socket"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local HOUR = 3600

local function date_of(epoch)
  return os.date("!%a, %d %b %Y %H:%M:%S GMT", epoch)
end

local asked   -- by the boot clock, when the fields of the last answer were made

-- The token of one POST, or the problem, of a bank that answers so.
local function answered(step, code, message)
  asked = core.boot()
  local scenario = bank:scenario{step}
  return survive.case{options = {baseUrl = scenario.baseUrl}, code = code, message = message,
    posts = 1, count = function() return scenario:posts() end}
end

-- That the token was to live for so long when the fields were made. They and Date count in whole
-- seconds. What has passed since is gone, however slow this machine is, and the time that the bank
-- took to write its Date once more.
local function is_about(seconds, token)
  local left, passed = token:remaining(), core.boot() - asked
  assert.is_true(left <= seconds and left > seconds - 2 * passed - 2, left)
end

describe("an expirationTime alone #transfer", function()
  local function alone(expiration, date)
    return {omit = {"tokenValiditySec"}, expiration = expiration, headers = {Date = date}}
  end

  it("S9: gives the smaller lifetime of two clocks that are hours apart", function()
    for _, off in ipairs{2 * HOUR, -2 * HOUR, 40 * 24 * HOUR, -40 * 24 * HOUR} do
      for _, unit in ipairs{1, 1000} do
        local now = os.time()
        is_about(HOUR, answered(alone((now + HOUR) * unit, date_of(now + off))))
      end
    end
    -- The bank's own clock is off, or ours: the end is by the bank's.
    for _, off in ipairs{2 * HOUR, -2 * HOUR} do
      local now = os.time()
      is_about(HOUR, answered(alone(now + off + HOUR, date_of(now + off))))
    end
  end)

  it("S9: is measured by our clock when Date is missing or no date", function()
    for _, date in ipairs{"yesterday-ish", "0", "Thu, 01 Jan 1970 00:00:00 GMT", "", "-1"} do
      is_about(600, answered(alone(os.time() + 600, date)))
    end
    asked = core.boot()
    local raw = sandbox.raw{connections = {{"read_request", {"send", sandbox.answer(
      ('{"accessToken":"canary-token-raw","expirationTime":%d}'):format(os.time() + 600))}}}}
    is_about(600, survive.case{options = {baseUrl = raw.url}})
    raw:stop()
  end)

  it("S9: that has passed by both clocks: expired", function()
    local now = os.time()
    answered(alone(now - 1, date_of(now)), "expired", "; compare this machine's clock with")
    answered(alone((now - HOUR) * 1000, date_of(now + 2 * HOUR)), "expired")
  end)

  it("S39: is not outlived, in milliseconds", function()
    for _, part in ipairs{0, 0.3, 0.999} do
      local ends = os.time() + 2 + part
      local token = auth.authenticate(survive.options{baseUrl = bank:scenario{
        alone(math.floor(ends * 1000))}.baseUrl})
      while token do
        local now = socket.gettime()
        if token:expired() then break end
        assert.is_true(now < ends, now - ends)
      end
    end
  end)
end)

-- ---- two fields that do not fit together --------------------------------------------------------

describe("a bank that writes expirationTime in another time zone #slow", function()
  local user = command.user(setup, teardown)

  local function doctor(step)
    local scenario = bank:scenario{step}
    local result = user:run(command.trusting{"doctor", "--no-store"},
      {COREBANK_BASE_URL = scenario.baseUrl})
    assert.is_nil(result.out:find("canary%-"))
    assert.equal(1, scenario:posts())
    return result.out:match("\nwarning +answer +([^\n]+)\n"), result
  end

  it("S8: gives a token for its validity when that end has passed", function()
    for _, hours in ipairs{3, 8, 24 * 365} do
      for _, unit in ipairs{1, 1000} do
        is_about(HOUR, answered{validity = HOUR, expiration = (os.time() - hours * HOUR) * unit})
      end
    end
    is_about(HOUR, answered{validity = HOUR, expiration = 0})
    is_about(HOUR, answered{validity = HOUR, expiration = os.time() + 9 * HOUR})
    is_about(600, answered{validity = HOUR, expiration = os.time() + 600})
    is_about(HOUR, answered{validity = HOUR, expiration = os.time() - HOUR, headers = {Date = ""}})
  end)

  it("S8: and none when the validity is none", function()
    for _, validity in ipairs{0, -1} do
      answered({validity = validity, expiration = os.time() + HOUR}, "expired",
        "on arrival: it is valid for no longer than the answer took$")
      answered({validity = validity, expiration = os.time() - HOUR}, "expired")
    end
  end)

  it("S8: is named by the doctor, which finds nothing else wrong #tls", function()
    local began = os.time()
    local warning, result = doctor{validity = HOUR, expiration = os.time() - 3 * HOUR}
    assert.equal(0, result.status, result.out)
    local ago = warning:match("^the bank's tokenValiditySec is 3600 s, and its expirationTime is "
      .. "(%d+) s ago by its Date; the token is taken for valid for 3%d%d%d s%. Ask the bank")
    assert.is_true(math.abs(ago - 3 * HOUR) <= os.time() - began + 2, warning)
    warning, result = doctor{validity = HOUR, expiration = (os.time() + 9 * HOUR) * 1000}
    assert.equal(0, result.status, result.out)
    assert.is_truthy(warning:find("expirationTime is 32%d%d%d s ahead by its Date"), warning)
    warning, result = doctor{validity = HOUR, expiration = os.time() + 600, headers = {Date = ""}}
    assert.equal(0, result.status, result.out)
    assert.is_truthy(warning:find("by this machine's clock; the token is taken for valid for [56]"),
      warning)
  end)

  it("S8: is not seen in fields that agree, nor where there is one #tls", function()
    for _, step in ipairs{{}, {expiration = "s"}, {expiration = 0}, {expiration = false},
      {validity = 5}, {omit = {"tokenValiditySec"}}} do
      local warning, result = doctor(step)
      assert.is_nil(warning)
      assert.equal(0, result.status, result.out)
    end
  end)
end)
