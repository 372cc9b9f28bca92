-- When a token ends, by what the bank says and by what two clocks show: the arithmetic. pause_spec
-- has what stands still, bank_clock_spec the real bank.

local random = require "spec.support.random"
local token = require "corebank.auth.exchange.token"

local NOW = 1790000000.25   -- the true time when a request is sent
local HOUR, DAY = 3600, 86400

-- Clocks that show `skew` more than the true time, and run with it.
local function clocks_of(skew)
  local clock = {passed = 0}
  function clock.boot() return 1000 + clock.passed end
  function clock.wall() return NOW + skew + clock.passed end
  return clock
end

-- The token of an answer `took` seconds after its request. `date` is what the answer's Date says.
local function issue(said, clock, took, date)
  local boot, wall = clock.boot(), clock.wall()
  clock.passed = clock.passed + (took or 0)
  return token.of_reply(clock, "canary-token-time", boot, wall, date, said.ends, said.seconds)
end

local function left(said, date, skew, took)
  local made = issue(said, clocks_of(skew or 0), took, date)
  return made and made:remaining()
end

describe("an expirationTime alone", function()
  local ENDS = NOW - 0.25 + HOUR

  it("S9: is measured on the bank's Date and on our clock, and the smaller lifetime counts",
    function()
      assert.equal(HOUR - 0.25, left({ends = ENDS}))
      assert.equal(HOUR - 1, left({ends = ENDS}, NOW - 0.25))
      for _, off in ipairs{2 * HOUR, 30 * DAY, 800 * DAY} do
        -- A Date that is behind would give more; one that is ahead, none.
        assert.equal(HOUR - 0.25, left({ends = ENDS}, NOW - 0.25 - off))
        assert.equal(HOUR - 0.25, left({ends = ENDS}, NOW - 0.25 + off))
        -- And so would our clock.
        assert.equal(HOUR - 1, left({ends = ENDS}, NOW - 0.25, -off))
        assert.equal(HOUR - 1, left({ends = ENDS}, NOW - 0.25, off))
      end
      assert.equal(HOUR / 2 - 1, left({ends = ENDS}, NOW - 0.25 + HOUR / 2))
      assert.equal(HOUR - 0.25, left({ends = ENDS}, 1))   -- a bank without a clock: 1970
      assert.equal(HOUR - 1, left({ends = ENDS}, NOW - 0.25, 1 - NOW))   -- we without one
      assert.equal(7 * DAY, left({ends = ENDS}, 1, 1 - NOW))   -- neither
    end)

  it("S9: that has passed by both clocks is none", function()
    for _, ends in ipairs{NOW - 0.25, NOW - HOUR, (NOW - HOUR) * 1000, 1} do
      assert.is_nil(left({ends = ends}))
      assert.is_nil(left({ends = ends}, NOW - 0.25))
      assert.is_nil(left({ends = ends}, NOW - 0.25 + DAY, 2 * DAY))
    end
    assert.is_nil(left({ends = 0}))
    assert.is_nil(left({ends = -5}))
  end)

  it("S39: counts from the end of its Date's second, in seconds and in milliseconds", function()
    assert.equal(4.5, left({ends = (NOW + 5.25) * 1000}, NOW - 0.25, -0.9))
    assert.equal(4, left({ends = NOW + 4.75}, NOW - 0.25, -0.9))
  end)

  it("counts from when the request was sent, on either clock", function()
    assert.equal(10 - 1 - 8, left({ends = NOW - 0.25 + 10}, NOW - 0.25, 0, 8))
    assert.equal(10 - 0.25 - 8, left({ends = NOW - 0.25 + 10}, nil, 0, 8))
    assert.is_nil(left({ends = NOW - 0.25 + 10}, NOW - 0.25, 0, 9))
    -- Also when the other clock would still give it some time: this one was right once.
    assert.is_nil(left({ends = NOW + 10}, NOW - 0.25 - HOUR, 0, 10))
    assert.is_nil(left({ends = NOW + 10}, NOW - 0.25, -HOUR, 10))
  end)

  it("is cut to 7 days", function()
    assert.equal(7 * DAY, left({ends = 9e10}))
    assert.equal(7 * DAY, left({ends = 9e15}, NOW - 0.25))
  end)
end)

describe("a tokenValiditySec", function()
  local function both(seconds, ahead) return {seconds = seconds, ends = NOW - 0.25 + ahead} end

  it("S8: is not taken away by an end that has passed", function()
    for _, date in ipairs{NOW - 0.25, false} do
      for _, ahead in ipairs{-3 * HOUR, -1, 0, -30 * DAY} do
        assert.equal(HOUR, left(both(HOUR, ahead), date or nil))
        assert.equal(HOUR, left({seconds = HOUR, ends = (NOW + ahead - 0.25) * 1000}, date or nil))
      end
    end
    assert.equal(HOUR, left{seconds = HOUR, ends = 0})
    assert.equal(HOUR, left{seconds = HOUR, ends = -5})
  end)

  it("S8: is shortened by an end that lies ahead, and lengthened by none", function()
    assert.equal(600 - 0.25, left(both(HOUR, 600)))
    assert.equal(600 - 1, left(both(HOUR, 600), NOW - 0.25))
    assert.equal(600 - 1, left(both(HOUR, 600), NOW - 0.25, -HOUR))
    assert.equal(HOUR, left(both(HOUR, 4 * HOUR), NOW - 0.25))
    assert.equal(7 * DAY, left(both(1e9, 1e9), NOW - 0.25))
  end)

  it("S8: of zero or less is none, whatever the end", function()
    for _, seconds in ipairs{0, -1, -HOUR} do
      assert.is_nil(left{seconds = seconds})
      assert.is_nil(left(both(seconds, HOUR), NOW - 0.25))
      assert.is_nil(left(both(seconds, -HOUR), NOW - 0.25))
    end
  end)

  it("S8: needs no clock: where the bank's own Date says the same, ours may be anything", function()
    for _, skew in ipairs{0, 1800, HOUR - 1, HOUR, DAY, -1800, -DAY, 1 - NOW} do
      local got = left(both(HOUR, HOUR + 0.25), NOW - 0.25, skew)
      assert.is_true(got <= HOUR and got >= HOUR - 1, skew)
    end
    -- Nor does it lose a part of a second to a Date when our clock is right.
    assert.equal(2, left(both(2, 2.25), NOW - 0.25))
    assert.equal(2, left({seconds = 2}, NOW - 0.25))
  end)
end)

-- ---- any clocks --------------------------------------------------------------------------------

local ROUNDS = 20000

-- A bank whose clock is right, a machine whose clock is off by anything, any time for an answer.
local function one_round(pick)
  local skew = pick{0, 0, 0.9 * pick{-1, 1}, 70 * pick{-1, 1}, 2 * HOUR * pick{-1, 1},
    40 * DAY * pick{-1, 1}}
  local took, life = pick{0, 0.1, 1.5, 9} * pick{0.5, 1}, pick{3, 20, HOUR, 3 * DAY}
  local answered = NOW + took * pick{0, 0.5, 1}
  local unit = pick{1, 1000}
  return {skew = skew, took = took, life = life, date = math.floor(answered),
    ends = math.floor((answered + life) * unit), unit = unit}
end

describe(("a token, seed %d,"):format(random.seed), function()
  local generate = random.generator()
  local function pick(list) return random.pick(generate, list) end

  it("S39: does not outlive the bank's own end, whatever our clock shows", function()
    for _ = 1, ROUNDS do
      local round = one_round(pick)
      local made = issue({ends = round.ends}, clocks_of(round.skew), round.took, round.date)
      -- By a Date of the end's own second or later there is no telling.
      if made and round.ends / round.unit > round.date + 1 then
        local ends = NOW + round.took + made:remaining()
        assert(ends <= round.ends / round.unit + 1e-6, round.skew)
      end
    end
  end)

  it("S38: with a validity does not outlive it, and with an end nothing but it shortens it",
    function()
      for _ = 1, ROUNDS do
        local round = one_round(pick)
        local seconds = pick{2, 20, HOUR, 8 * DAY}
        local clock = clocks_of(round.skew)
        local made = issue({seconds = seconds, ends = pick{round.ends, false} or nil}, clock,
          round.took, pick{round.date, false} or nil)
        if made then
          assert(made:remaining() <= math.min(seconds, 7 * DAY) - round.took + 1e-6)
        end
        local plain = issue({seconds = seconds}, clocks_of(round.skew), round.took, round.date)
        local rest = math.min(seconds, 7 * DAY) - round.took
        assert(rest <= 0 and not plain or math.abs(plain:remaining() - rest) < 1e-6)
      end
    end)
end)
