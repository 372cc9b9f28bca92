-- What a client tells of itself: explain and events.

local fake = require "spec.support.fake"
local survive = require "spec.support.survive"

local ask, keep, steady = fake.ask, fake.keep, fake.steady

describe("explain and events", function()
  it("say how long the bank took, and how long a caller waited", function()
    local events = {}
    local kept, world = keep(steady(100, 2),
      {onEvent = function(event) events[event.name] = event end})
    world.call(function() kept:token() end)
    world.pass(0.5)
    world.call(function() kept:token() end)
    world.pass(2)
    assert.equal(2, events.fetched.seconds)
    assert.equal(1, events.fetched.attempts)
    assert.is_true(events.waited.seconds >= 1.5 and events.waited.seconds <= 2)
    assert.is_true(kept:invalidate(kept:peek()))
    assert.equal("invalidated", events.invalidated.name)
    assert.equal(1, kept:explain().counters.invalidated)
  end)

  it("say why this token, until when, and what went wrong last; no secret", function()
    local events = {}
    local kept, world = keep(function(n)
      return n == 2 and {failure = "connect"} or {token = "canary-token-" .. n, validity = 100}
    end, {onEvent = function(event) events[#events + 1] = event end})
    assert.equal("none", kept:explain().state)
    ask(kept, world)
    assert.equal("fresh", kept:explain().state)
    world.skip(81)
    kept:token()
    local told = kept:explain()
    assert.equal("stale", told.state)
    assert.equal(19, told.remaining)
    assert.is_truthy(told.problem:find("cannot connect"))
    assert.equal(1, told.counters.failed)
    local line = "stale, from the bank, 19 s left.*last problem: cannot connect"
    assert.is_truthy(tostring(told):find(line))
    world.skip(30)
    assert.equal("expired", kept:explain().state)
    survive.no_canary{told, events, kept}
    local names = {}
    for i, event in ipairs(events) do names[i] = event.name end
    assert.same({"fetched", "failed"}, names)   -- nobody had to wait for the first
    assert.equal("https://bank.example", events[1].client)
  end)
end)
