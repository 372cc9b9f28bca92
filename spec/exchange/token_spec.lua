local token = require "corebank.auth.exchange.token"
local survive = require "spec.support.survive"

-- A clock that stands still until it is moved.
local function fake_clock()
  local clock = {bootNow = 1000, wallNow = 1790000000}
  function clock.boot() return clock.bootNow end
  function clock.wall() return clock.wallNow end
  function clock.advance(seconds)
    clock.bootNow = clock.bootNow + seconds
    clock.wallNow = clock.wallNow + seconds
  end
  return clock
end

-- The token of an answer that has just come, to a request that was sent `ago` seconds before.
local function issue(changes, clock, ago, date)
  local said = {tokenValiditySec = 100}
  for name, value in pairs(changes or {}) do said[name] = value or nil end
  return token.of_reply(clock, "canary-token-unit", clock.boot() - (ago or 0),
    clock.wall() - (ago or 0), date, said.expirationTime, said.tokenValiditySec)
end

describe("a token", function()
  local clock
  before_each(function() clock = fake_clock() end)

  it("has the bank's fields, and shows accessToken to nobody who does not ask", function()
    local t = issue({expirationTime = 1790000100000}, clock)
    assert.equal("canary-token-unit", t.accessToken)
    assert.equal("Bearer", t.tokenType)
    assert.equal(1790000100000, t.expirationTime)
    assert.equal(100, t.tokenValiditySec)
    assert.equal("Bearer canary-token-unit", t:header())
    survive.no_canary(t)
    assert.is_nil(t.__index)
    local names = {}
    for name in pairs(t) do names[#names + 1] = name end
    table.sort(names)
    assert.same({"expirationTime", "tokenType", "tokenValiditySec"}, names)
  end)

  it("counts down, ends, and is never less than ended", function()
    local t = issue(nil, clock)
    assert.equal(100, t:remaining())
    clock.advance(60)
    assert.equal(40, t:remaining())
    assert.is_false(t:expired())
    assert.is_false(t:expired(39))
    assert.is_true(t:expired(40))
    clock.advance(40)
    assert.equal(0, t:remaining())
    assert.is_true(t:expired())
    clock.advance(1000)
    assert.equal(0, t:remaining())
    assert.equal("Bearer token, 0 s left", tostring(t))
  end)

  it("ends at the same epoch second whatever the time it is asked", function()
    local t = issue(nil, clock)
    assert.equal(1790000100, t:expiresAt())
    clock.advance(50)
    assert.equal(1790000100, t:expiresAt())
  end)

  it("counts from when the request was sent", function()
    assert.equal(2, issue({tokenValiditySec = 10}, clock, 8):remaining())
  end)

  it("had already expired when the answer took as long as it is valid", function()
    assert.is_nil(issue({tokenValiditySec = 10}, clock, 10))
    assert.is_nil(issue({tokenValiditySec = 0}, clock))
    assert.is_nil(issue({tokenValiditySec = -1}, clock))
    assert.is_nil(issue({tokenValiditySec = false, expirationTime = 1790000000}, clock))
  end)

  it("ends at the earlier of validity and expiration time", function()
    assert.equal(30, issue({expirationTime = 1790000030}, clock):remaining())
    assert.equal(100, issue({expirationTime = 1790000300}, clock):remaining())
  end)

  it("takes 1e11 and above for milliseconds", function()
    assert.equal(30, issue({expirationTime = 1790000030000}, clock):remaining())
  end)

  it("is cut to 7 days", function()
    assert.equal(604800, issue({tokenValiditySec = 1e9}, clock):remaining())
    local far = {tokenValiditySec = false, expirationTime = 9e10}
    assert.equal(604800, issue(far, clock):remaining())
  end)

  it("ends early when the wall clock jumps ahead, and on time when it jumps back", function()
    local t = issue(nil, clock)
    clock.wallNow = clock.wallNow + 7200
    assert.is_true(t:expired())
    t = issue(nil, clock)
    clock.wallNow = clock.wallNow - 7200
    clock.advance(99)
    assert.is_false(t:expired())
    clock.advance(1)
    assert.is_true(t:expired())
  end)

  -- What a weak table holds for a token outlives it, on some Luas, by one cycle of the collector.
  it("takes all that it has with it", function()
    local seen = setmetatable({}, {__mode = "v"})
    local function make()
      seen[1] = fake_clock()
      return issue(nil, seen[1]):remaining()
    end
    make()
    collectgarbage()
    assert.is_nil(seen[1])
  end)
end)
