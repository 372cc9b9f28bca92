-- FAULTS, "Clock and expiry", against the real clock; time_spec has the arithmetic.

local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

local function token_from(step, case)
  local scenario = bank:scenario{step}
  case = case or {}
  case.options = {baseUrl = scenario.baseUrl}
  case.posts = 1
  case.count = function() return scenario:posts() end
  return survive.case(case)
end

describe("expirationTime", function()
  it("in seconds and in milliseconds means the same moment", function()
    local ends = os.time() + 1000
    local seconds = token_from{validity = 3600, expiration = ends}
    local milliseconds = token_from{validity = 3600, expiration = ends * 1000}
    assert.is_true(math.abs(seconds:expiresAt() - milliseconds:expiresAt()) < 1.5)
    assert.is_true(math.abs(seconds:remaining() - 1000) < 3)
    assert.equal(ends * 1000, milliseconds.expirationTime)
  end)

  it("alone is enough", function()
    local token = token_from{omit = {"tokenValiditySec"}}
    assert.is_true(math.abs(token:remaining() - 3600) < 3)
  end)

  it("already past on arrival: expired", function()
    token_from({expiration = os.time() - 1, omit = {"tokenValiditySec"}}, {code = "expired"})
  end)

  it("is read on the bank's clock when that shows one", function()
    local ahead = os.time() + 7200
    local token = token_from{validity = 3600, expiration = ahead + 600,
      headers = {Date = os.date("!%a, %d %b %Y %H:%M:%S GMT", ahead)}}
    assert.is_true(math.abs(token:remaining() - 600) < 3, token:remaining())
  end)
end)

describe("a slow answer", function()
  it("eats into the validity: 2 seconds of it are gone", function()
    local validity = survive.seconds(3)
    local token = token_from{delay = 2, validity = validity, expiration = false}
    assert.is_true(token:remaining() <= validity - 2)
    assert.is_false(token:expired())
    assert.is_true(token:expired(validity - 2))
  end)

  it("whose body comes later than its Date: 2 seconds of the validity are gone", function()
    -- The clock may be at the end of its first second: one second of these may be over.
    local now, validity = os.time(), survive.seconds(4)
    local head, body = sandbox.answer(
      ('{"accessToken":"canary-token-slow","expirationTime":%d}'):format(now + validity))
      :match "^(.-\r\n)\r\n(.*)$"
    local raw = sandbox.raw{connections = {{"read_request",
      {"send", ("%sDate: %s\r\n\r\n"):format(head, os.date("!%a, %d %b %Y %H:%M:%S GMT", now))},
      {"sleep", 2}, {"send", body}}}}
    local token = survive.case{options = {baseUrl = raw.url}, posts = 1,
      count = function() return raw:posts() end}
    raw:stop()
    assert.is_true(token:remaining() <= validity - 1 - 2)
  end)

  it("slower than the validity: expired", function()
    token_from({delay = 1.2, validity = 1, expiration = false}, {code = "expired"})
  end)
end)
