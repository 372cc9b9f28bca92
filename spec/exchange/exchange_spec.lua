-- The policy of one call, without a socket: clock, randomness and transfers are injected.

local core = require "corebank.auth.core"
local exchange = require "corebank.auth.exchange.exchange"
local options = require "corebank.auth.options.read"

-- A system that answers from `answers` (one a POST, the last for ever), each taking no time or
-- `answer.takes` seconds, on a clock that moves only when something is waited for.
local function fake_system(answers)
  local system = {now = 1000, posts = {}, waits = {}, open = 0, randomness = 1}
  function system.boot() return system.now end
  function system.wall() return 1790000000 + system.now end
  function system.random() return system.randomness end
  system.url = core.url
  function system.transfer(_, request, seconds)
    local answer = answers[math.min(#system.posts + 1, #answers)]
    system.posts[#system.posts + 1] = {url = request.url, seconds = seconds, at = system.now}
    system.open = system.open + 1
    local transfer = {takes = answer.takes or 0}
    local sentBoot = system.boot() + (answer.sentAfter or 0)
    local sentWall = system.wall() + (answer.sentAfter or 0)
    function transfer.result() return answer end
    function transfer.reply()
      if not answer.status or math.floor(answer.status / 100) ~= 2 then return nil end
      if not answer.reply then return nil, "is not usable", answer.final end
      transfer.close()
      return answer.reply.accessToken, sentBoot, sentWall, answer.date,
        answer.reply.expirationTime, answer.reply.tokenValiditySec, answer.status
    end
    function transfer.excerpt() return answer.body or "" end
    function transfer.request_id() return answer.requestId end
    function transfer.close() system.open = system.open - 1 end
    return transfer
  end
  return system
end

local function run(answers, changes, randomness)
  local given = {baseUrl = "https://bank.example", clientId = "id", clientSecret = "canary-secret"}
  for name, value in pairs(changes or {}) do given[name] = value end
  local settings = assert(options.read(given))
  local system = fake_system(answers)
  system.randomness = randomness or 1
  local call = exchange.new{settings = settings, system = system,
    host = {await = coroutine.yield, sleep = function(seconds) coroutine.yield(nil, seconds) end},
    tell = settings.onEvent}
  local thread = coroutine.create(call.run)
  local ok, first, second, problem = coroutine.resume(thread, call)
  while ok and coroutine.status(thread) ~= "dead" do
    if not first then
      system.waits[#system.waits + 1] = second
      system.now = system.now + second
    else
      system.now = system.now + first.takes
    end
    ok, first, second, problem = coroutine.resume(thread)
  end
  assert(ok, first)
  assert(first or second == problem.message)
  assert.equal(0, system.open)   -- every transfer was closed
  return first, problem, system
end

local good = {status = 200, reply = {accessToken = "canary-token-fake", tokenValiditySec = 60}}
local busy = {status = 503}

describe("an exchange", function()
  it("that succeeds at once posts once and waits for nothing", function()
    local token, _, system = run{good}
    assert.equal("canary-token-fake", token.accessToken)
    assert.equal(1, #system.posts)
    assert.same({}, system.waits)
    assert.equal("https://bank.example/api/auth/v1/authenticate", system.posts[1].url)
    assert.equal(10, system.posts[1].seconds)
  end)

  it("backs off exponentially, with growing gaps", function()
    local _, problem, system = run({busy}, {attempts = 6, timeout = 600})
    assert.same({0.25, 0.5, 1, 2, 4}, system.waits)
    assert.equal("server", problem.code)
    assert.equal(6, problem.attempts)
  end)

  it("jitters fully: any pause from nothing to the longest", function()
    local _, _, none = run({busy}, {attempts = 3}, 0)
    assert.same({0, 0}, none.waits)
    local _, _, half = run({busy}, {attempts = 3}, 0.5)
    assert.same({0.125, 0.25}, half.waits)
  end)

  it("never waits past its timeout", function()
    local _, problem, system = run({{status = 503, takes = 0.4}}, {attempts = 10, timeout = 1})
    assert.equal(2, #system.posts)   -- at 0 and 0.65; the next would begin after 1
    assert.equal("server", problem.code)
    assert.is_true(system.now - 1000 <= 1.05)
  end)

  it("gives each try what is left of the timeout", function()
    local _, _, system = run({{status = 503, takes = 2}}, {attempts = 2, timeout = 10})
    assert.equal(10, system.posts[1].seconds)
    assert.equal(7.75, system.posts[2].seconds)
  end)

  it("waits as long as Retry-After asks, if that fits", function()
    local token, _, system = run({{status = 429, retryAfter = 3}, good})
    assert(token)
    assert.same({3}, system.waits)
    local _, problem, long = run({{status = 503, retryAfter = 30}, good})
    assert.equal(1, #long.posts)
    assert.equal(30, problem.retryAfter)
  end)

  it("reads a Retry-After date on the bank's clock, else on ours", function()
    local _, problem = run{{status = 429, retryAt = 5090, date = 5000}}
    assert.equal(90, problem.retryAfter)
    _, problem = run{{status = 429, retryAt = 1790001000 + 45}}
    assert.equal(45, problem.retryAfter)
    _, problem = run({{status = 429, retryAt = 1}}, {attempts = 1})
    assert.equal(0, problem.retryAfter)
  end)

  local fates = {
    {{failure = "resolve"}, "resolve", 3}, {{failure = "connect"}, "connect", 3},
    {{failure = "timeout"}, "timeout", 3}, {{failure = "network"}, "network", 3},
    {{failure = "network", begun = true}, "network", 1},
    {{failure = "proxy"}, "proxy", 3}, {{failure = "proxy", begun = true}, "proxy", 1},
    {{failure = "tls", tlsFault = "trust"}, "tls", 1}, {{failure = "too_large"}, "too_large", 1},
    {{status = 400}, "denied", 1}, {{status = 401}, "denied", 1}, {{status = 403}, "denied", 1},
    {{status = 407}, "status", 1}, {{status = 408}, "status", 3}, {{status = 429}, "limited", 1},
    {{status = 429, retryAfter = 1}, "limited", 3},
    {{status = 500}, "server", 3}, {{status = 599}, "server", 3}, {{status = 404}, "status", 1},
    {{status = 303}, "status", 1}, {{status = 200}, "response", 3}, {{status = 202}, "response", 3},
    {{status = 200, final = true}, "response", 1}, {{status = 204}, "response", 3},
    {{status = 200, reply = {accessToken = "t", tokenValiditySec = 0}}, "expired", 1},
    {{status = 201, reply = {accessToken = "t", tokenValiditySec = 0}}, "expired", 1},
  }
  for _, fate in ipairs(fates) do
    local answer, code, posts = fate[1], fate[2], fate[3]
    it(("meets %s %s: %s after %d"):format(answer.failure or answer.status,
      answer.begun and "begun" or "", code, posts), function()
      local token, problem, system = run{answer}
      assert.is_nil(token)
      assert.equal(code, problem.code)
      assert.equal(posts, #system.posts)
      assert.equal(posts, problem.attempts)
      assert.equal(answer.status, problem.status)
    end)
  end

  it("counts the lifetime from when the request was sent", function()
    local slow = {status = 200, takes = 8, sentAfter = 1,
      reply = {accessToken = "t", tokenValiditySec = 10}}
    local token, _, system = run{slow}
    assert(token.accessToken == "t" and system)
    -- The token's clock is the system's: sent at 1001, valid until 1011, now 1008.
    assert.equal(3, token:remaining())
  end)

  it("counts what is left by the answer's Date from when the request was sent, too", function()
    -- Sent at 1001. The bank's clock, a minute ahead, was at `date` at some moment until 1007.
    local date = 1790000000 + 1002 + 60
    local slow = {status = 200, takes = 6, sentAfter = 1, date = date,
      reply = {accessToken = "t", expirationTime = date + 1 + 10}}
    assert.equal(1001 + 10 - 1006, run{slow}:remaining())
  end)

  it("shows nothing of an answer when a secret was replaced meanwhile", function()
    local secret = require "corebank.auth.options.secret"
    local before = secret.changes
    -- Whatever was sent, another call's rotation has put something else in its place.
    local function rotated(answer)
      local settings = assert(options.read{baseUrl = "https://bank.example", clientId = "id",
        clientSecret = "canary-secret", attempts = 1})
      local system = fake_system{answer}
      local _, message, problem = exchange.call{settings = settings, system = system,
        host = {await = function() secret.changes = secret.changes + 1 end}}
      return message, problem
    end
    for _, answer in ipairs{{status = 404, body = "old-secret"},
      {status = 200, body = "old-secret"},
      {status = 307, location = "https://old-secret.example/"}} do
      local message, problem = rotated(answer)
      assert.is_nil(problem:body())
      assert.is_nil(message:find("old-secret", 1, true))
    end
    secret.changes = before
    assert.equal("seen", select(2, run{{status = 404, body = "seen"}}):body())
  end)

  it("tells onEvent what happened, once a call", function()
    local events = {}
    run({busy, good}, {onEvent = function(event) events[#events + 1] = event end})
    assert.same({{name = "fetched", attempts = 2, seconds = 0.25}}, events)
    events = {}
    run({{status = 401}}, {onEvent = function(event) events[#events + 1] = event end})
    assert.same({{name = "failed", code = "denied", status = 401, attempts = 1, seconds = 0}},
      events)
  end)

  it("keeps the bank's answer out of everything but body()", function()
    local _, problem = run{{status = 401, body = "E-17 canary-token"}}
    assert.equal("E-17 canary-token", problem:body())
    require("spec.support.survive").no_canary(problem)
  end)

  it("follows a relative redirect and stays on its origin", function()
    local there = {status = 308, location = "../v2/authenticate"}
    local _, _, system = run{there, good}
    assert.equal("https://bank.example/api/auth/v2/authenticate", system.posts[2].url)
    for _, location in ipairs{"https://bank.example:444/", "http://bank.example/", "",
      "//evil.example/x", "https://bank.example.evil/", "https://x@bank.example/",
      "javascript:alert(1)"} do
      local token, problem, stopped = run{{status = 307, location = location}}
      assert.is_nil(token)
      assert.equal("redirect", problem.code)
      assert.equal(1, #stopped.posts)
    end
    local _, _, same = run{{status = 307, location = "https://BANK.example:443/x"}, good}
    assert.equal(2, #same.posts)
  end)
end)
