-- FAULTS, "HTTP": a bank that says no, or not now.

local survive = require "spec.support.survive"

local answered = survive.answered

describe("a refusal #transfer", function()
  local bodies = {JSON = '{"errorCode":"E-7"}', HTML = "<html>no</html>", empty = ""}
  for _, status in ipairs{400, 401, 403} do
    for kind, body in pairs(bodies) do
      it(("%d with %s: denied, 1 POST, body in no message"):format(status, kind), function()
        local problem = answered({{status = status, body = body}},
          {code = "denied", posts = 1, options = {attempts = 3}})
        assert.equal(status, problem.status)
        assert.is_false(problem.retryable)
        assert.equal(body, problem:body())
        assert.is_true(body == "" or not problem.message:find(body, 1, true))
      end)
    end
  end

  it("of a wrong secret, by the bank itself: denied", function()
    local problem = answered({}, {code = "denied", posts = 1,
      options = {clientSecret = "wrong-secret"}})
    assert.is_truthy(problem:body():find("AUTH-0401", 1, true))
  end)

  it("that echoes the credentials: body() blanks them and anything like a token", function()
    local secret, id = 'canary-secret-"q\\', "client-1"
    local echo = ('{"id":"%s","raw":"%s","json":"canary-secret-\\"q\\\\","refresh_token": "abc"}')
      :format(id, secret)
    local problem = answered({{status = 401, body = echo}},
      {code = "denied", posts = 1, options = {clientId = id, clientSecret = secret}})
    local body = problem:body()
    survive.no_canary(body)
    assert.is_nil(body:find("client-1", 1, true) or body:find("abc", 1, true))
    assert.equal(#echo, #body)
  end)

  it("that wraps another server's JSON in a string: body() blanks its tokens too", function()
    local body = [[{"status":500,"body":"{\"code\":\"E-7\",\"accessToken\":\"abc\"}"}]]
    local problem = answered({{status = 403, body = body}}, {code = "denied", posts = 1})
    assert.equal(body:gsub("Token.*", 'Token\\":' .. ("*"):rep(10)), problem:body())
  end)

  it("with a long body: body() gives the first 4 KiB", function()
    local problem = answered({{status = 403, body = ("x"):rep(5000)}}, {code = "denied", posts = 1})
    assert.equal(4096, #problem:body())
  end)
end)

describe("a busy bank #transfer", function()
  it("429 with Retry-After: 1 is waited for and tried again", function()
    local _, scenario, took = answered({{status = 429, headers = {["Retry-After"] = "1"}}, {}},
      {posts = 2, options = {attempts = 2}})
    assert.is_true(took >= 1 and scenario:posts() == 2)
  end)

  it("429 with more than the timeout allows: limited at once, with retryAfter", function()
    local problem, _, took = answered({{status = 429, headers = {["Retry-After"] = "120"}}},
      {code = "limited", posts = 1, options = {attempts = 3}})
    assert.equal(120, problem.retryAfter)
    assert.is_true(problem.retryable and took < survive.seconds(1))
  end)

  it("429 with a date: limited, with the seconds until then by the bank's clock", function()
    local problem = answered({{status = 429, headers = {
      Date = "Mon, 02 Nov 2026 10:00:00 GMT", ["Retry-After"] = "Mon, 02 Nov 2026 10:01:30 GMT"}}},
      {code = "limited", posts = 1})
    assert.equal(90, problem.retryAfter)
  end)

  it("Retry-After is capped at 300 seconds, and nonsense is ignored", function()
    local problem = answered({{status = 429, headers = {["Retry-After"] = "99999999999"}}},
      {code = "limited", posts = 1})
    assert.equal(300, problem.retryAfter)
    problem = answered({{status = 429, headers = {["Retry-After"] = "soon"}}},
      {code = "limited", posts = 1})
    assert.is_nil(problem.retryAfter)
  end)

  for _, status in ipairs{500, 502, 503, 504, 408} do
    it(("%d, then 200: success within attempts"):format(status), function()
      answered({{status = status}, {}}, {posts = 2, options = {attempts = 2}})
    end)
  end

  it("503 for ever: server, all attempts made", function()
    local problem = answered({{status = 503}},
      {code = "server", posts = 3, options = {attempts = 3}})
    assert.equal(3, problem.attempts)
    assert.equal(503, problem.status)
  end)
end)
