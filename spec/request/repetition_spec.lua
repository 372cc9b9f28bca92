-- R1, R5, R6: which request is sent again, when, and how often; in a world without sockets.

local fake = require "spec.support.fake"

-- Sends a request in a world whose API answers with these, the last one for ever. Returns what the
-- caller got, how many requests the API saw, and the world.
local function send(request, answers, changes)
  local kept, world = fake.keep(fake.steady(3600), changes)
  world.api = function(_, n) return answers[math.min(n, #answers)] end
  local got
  request.path = request.path or "/a"
  world.call(function() got = {fake.request(kept, request)} end)
  local limit = world.now + 700
  while not got and world.now < limit do world.pass(0.05, 0.05) end
  assert(got, "the request has no end")
  return got[1], got[3], #world.calls, world
end

local THREE = {attempts = 3}
local KEY = {["Idempotency-Key"] = "k"}

describe("a request that broke before it was sent", function()
  for _, method in ipairs{"GET", "POST", "PATCH", "DELETE"} do
    it("is sent again: " .. method, function()
      local reply, _, calls = send({method = method},
        {{failure = "connect", sent = "no"}, {failure = "resolve", sent = "no"}, {}}, THREE)
      assert.equal(200, reply.status)
      assert.equal(3, calls)
    end)
  end

  it("ends when its attempts are used up, and says so", function()
    local reply, problem, calls = send({method = "POST"}, {{failure = "connect", sent = "no"}},
      THREE)
    assert.is_nil(reply)
    assert.same({"connect", "no", 3, 3}, {problem.code, problem.sent, problem.attempts, calls})
  end)

  it("is not sent again where that would be of no use", function()
    local _, problem, calls = send({}, {{failure = "tls", sent = "no"}}, THREE)
    assert.same({"tls", 1}, {problem.code, calls})
  end)
end)

describe("a request that broke later", function()
  for _, method in ipairs{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} do
    it("is sent again when it may be: " .. method, function()
      local reply, _, calls = send({method = method}, {{failure = "network"}, {}}, THREE)
      assert.equal(200, reply.status)
      assert.equal(2, calls)
    end)
  end

  for _, method in ipairs{"POST", "PATCH", "PROPFIND"} do
    it("is not sent again, and the caller hears that it may have been carried out: " .. method,
      function()
        local reply, problem, calls = send({method = method}, {{failure = "network"}, {}}, THREE)
        assert.is_nil(reply)
        assert.same({"network", "maybe", 1}, {problem.code, problem.sent, calls})
      end)

    it("is sent again with an Idempotency-Key: " .. method, function()
      local reply, _, calls, world = send({method = method, headers = KEY},
        {{failure = "network"}, {}}, THREE)
      assert.equal(200, reply.status)
      assert.equal(2, calls)
      assert.is_false(world.calls[1].once)
    end)
  end

  it("may not be sent again by libcurl either", function()
    local _, _, _, world = send({method = "POST"}, {{}}, THREE)
    assert.is_true(world.calls[1].once)
  end)
end)

describe("429 and 503", function()
  for _, status in ipairs{429, 503} do
    it("are followed by another try where it may be: " .. status, function()
      local reply, _, calls = send({}, {{status = status}, {}}, THREE)
      assert.same({200, 2}, {reply.status, calls})
    end)

    it("are the reply to what may not be sent again: " .. status, function()
      local reply, _, calls = send({method = "POST"}, {{status = status, retryAfter = 1}, {}},
        THREE)
      assert.same({status, 1}, {reply.status, calls})
    end)

    it("are the reply when the attempts are used up: " .. status, function()
      local reply, _, calls = send({}, {{status = status}}, THREE)
      assert.same({status, 3}, {reply.status, calls})
    end)

    it("wait as long as a Retry-After says: " .. status, function()
      local reply, _, calls, world = send({}, {{status = status, retryAfter = 4}, {}}, THREE)
      assert.same({200, 2}, {reply.status, calls})
      assert.is_true(world.calls[2].at - world.calls[1].at >= 4)
    end)

    it("are the reply at once when a Retry-After does not fit: " .. status, function()
      local reply, _, calls, world = send({timeout = 5}, {{status = status, retryAfter = 5}, {}},
        THREE)
      assert.same({status, 1}, {reply.status, calls})
      assert.is_true(world.now < 1001)
    end)
  end

  for _, status in ipairs{400, 403, 404, 408, 409, 500, 502, 504} do
    it("alone: another status is the reply: " .. status, function()
      local reply, _, calls = send({}, {{status = status}, {}}, THREE)
      assert.same({status, false, 1}, {reply.status, reply.ok, calls})
    end)
  end
end)

describe("the timeout of a request", function()
  it("is for all tries and pauses", function()
    local _, problem, calls, world = send({timeout = 3, attempts = 10}, {{failure = "network",
      takes = 1}})
    assert.equal("timeout", problem.code)   -- of the third
    assert.equal(3, calls)
    assert.is_true(world.now <= 1003.2, world.now)
  end)

  it("is for the token, too", function()
    local kept, world = fake.keep(function() return {token = "canary-token-1", validity = 60,
      takes = 8} end, {timeout = 10})
    world.api = function() return {} end
    local got
    world.call(function() got = {fake.request(kept, {path = "/a", timeout = 2})} end)
    while not got do world.pass(0.05, 0.05) end
    assert.is_nil(got[1])
    assert.same({"timeout", "no"}, {got[3].code, got[3].sent})
    assert.is_true(world.now <= 1002.2, world.now)
    assert.equal(0, #world.calls)
    world.pass(8)   -- the flight goes on for others
    assert.equal("canary-token-1", kept:peek().accessToken)
  end)

  it("is the client's where the request gives none", function()
    local _, problem, _, world = send({}, {{takes = 60}}, {timeout = 4})
    assert.equal("timeout", problem.code)
    assert.is_true(world.now >= 1004 and world.now <= 1004.2, world.now)
    assert.is_truthy(problem.message:find("raise timeout (4 s)", 1, true), problem.message)
  end)
end)

describe("a request of a client that gets no token", function()
  it("is not sent, and returns the problem", function()
    local kept, world = fake.keep(function() return {status = 401} end)
    local reply, message, problem
    world.call(function() reply, message, problem = fake.request(kept, {path = "/a"}) end)
    world.pass(1)
    assert.is_nil(reply)
    assert.same({"denied", "no", problem.message}, {problem.code, problem.sent, message})
    assert.equal(0, #world.calls)
  end)

  it("between two tries returns what it had", function()
    local kept, world = fake.keep(function(n)
      return n == 1 and {token = "canary-token-1", validity = 20} or {status = 500}
    end, {leeway = 15})
    world.api = function() return {status = 503, retryAfter = 8} end
    local reply
    world.call(function() reply = fake.request(kept, {path = "/a", attempts = 3}) end)
    world.pass(9)
    assert.same({503, 1, 2}, {reply.status, #world.calls, #world.posts})
  end)
end)

describe("a client that is closed", function()
  it("while a request waits ends it", function()
    local kept, world = fake.keep(fake.steady(3600), {attempts = 3})
    world.api = function() return {takes = 3} end
    local reply, message, problem
    world.call(function() reply, message, problem = fake.request(kept, {path = "/a"}) end)
    world.pass(1)
    kept:close()
    world.pass(5)
    assert.is_nil(reply)
    assert.same({"closed", problem.message}, {problem.code, message})
  end)

  it("takes no more requests", function()
    local kept = fake.keep(fake.steady(3600))
    kept:close()
    local ok, message = pcall(function() return (kept:request{path = "/a"}) end)
    assert.is_false(ok)
    assert.is_truthy(message:find "repetition_spec.lua:%d+: the client is closed", message)
  end)
end)
