--- What libcurl sends again by itself, and what `sent` says of a request: "no" only where nothing
-- can have been done.

local api_calls = require "spec.support.api_calls"
local core = require "corebank.auth.core"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local ANSWER = sandbox.answer "{}"

local function perform(endpoint, request, seconds)
  return api_calls.finish(core.transfer(endpoint, request, survive.seconds(seconds or 5)))
end

-- Performs a GET that is answered, then the request on the connection that was kept.
local function second_on(raw, request)
  local endpoint = api_calls.endpoint()
  request.url = raw.httpsUrl
  assert.equal(200, perform(endpoint, {url = raw.httpsUrl, http2 = request.http2}).status)
  local result = perform(endpoint, request)
  endpoint:close()
  return result
end

describe("a request on a kept connection that dies #transfer", function()
  local raw

  after_each(function() raw:stop() end)

  -- The first connection answers one request, reads another, and closes; later ones answer.
  local function dying_server()
    raw = sandbox.raw{connections = {
      {{"starttls"}, "read_request", {"send", ANSWER}, "read_request", "close"},
      {{"starttls"}, "read_request", {"send", ANSWER}, "silence"},
    }}
    return raw
  end

  local function requests()
    local count = 0
    for n = 1, raw:connections() do
      count = count + select(2, (raw:received(n) or ""):gsub("%u+ / HTTP/1%.1\r\n", ""))
    end
    return count
  end

  it("is sent once when it must be, with a body and without", function()
    for _, request in ipairs{{method = "POST", body = "to=2&amount=5"}, {method = "POST"},
      {method = "GET"}, {method = "PUT", body = ("x"):rep(100000)}} do
      request.once = true
      local result = second_on(dying_server(), request)
      if survive.keepsConnections then
        assert.equal("network", result.failure)
        assert.equal("maybe", result.sent)
      end
      assert.equal(2, requests())
      raw:stop()
    end
  end)

  it("is sent again on another one when it may be", function()
    local endpoint = api_calls.endpoint()
    local url = dying_server().httpsUrl
    assert.equal(200, perform(endpoint, {url = url}).status)
    local result = perform(endpoint, {url = url, method = "POST", body = "{}"})
    assert.equal(200, result.status)
    assert.equal("yes", result.sent)
    assert.equal(survive.keepsConnections and 3 or 2, requests())
    endpoint:close()
  end)

  it("has not been sent when nothing of it left: once is still once", function()
    -- What waits on the connection is no answer to the second request, which gets a new one.
    raw = sandbox.raw{connections = {
      {{"starttls"}, "read_request", {"send", ANSWER .. "HTTP/1.1 408 Timeout\r\n\r\n"}, "silence"},
      {{"starttls"}, "read_request", {"send", ANSWER}, "silence"},
    }}
    local endpoint = api_calls.endpoint()
    assert.equal(200, perform(endpoint, {url = raw.httpsUrl}).status)
    local result = perform(endpoint, {url = raw.httpsUrl, method = "POST", body = "{}",
      once = true})
    assert.equal(200, result.status)
    assert.equal(1, raw:posts())
    endpoint:close()
  end)
end)

describe("sent #transfer", function()
  local function of(connection, request)
    local raw = sandbox.raw{connections = {connection}}
    request = request or {}
    request.url = raw.httpsUrl
    local endpoint = api_calls.endpoint()
    local result = perform(endpoint, request, request.seconds)
    endpoint:close()
    raw:stop()
    return result.sent, result
  end

  it("is no, when there was no connection, or no trust", function()
    local endpoint = api_calls.endpoint()
    local url = "https://localhost:" .. sandbox.closedPort()
    local result = perform(endpoint, {url = url, method = "POST"})
    assert.equal("no", result.sent)
    assert.equal("connect", result.failure)
    result = perform(endpoint, {url = bank:scenario{}:on "untrusted", method = "POST"})
    assert.equal("no", result.sent)
    assert.equal("tls", result.failure)
    endpoint:close()
    assert.equal("no", (of{"close"}))
  end)

  it("is maybe, when the request left and no status came", function()
    assert.equal("maybe", (of{{"starttls"}, "read_request", "close"}))
    assert.equal("maybe", (of({{"starttls"}, "silence"}, {seconds = 0.3})))
    assert.equal("maybe", (of{{"starttls"}, "read_request",
      {"send", "HTTP/1.1 102 Processing\r\n\r\n"}, "close"}))
    local sent, result = of({{"starttls"}, "read_request", "reset"}, {method = "POST", body = "{}"})
    assert.equal("maybe", sent)
    assert.equal("network", result.failure)
  end)

  it("is yes, when a status came, whatever became of the body", function()
    local sent, result = of{{"starttls"}, "read_request", {"send", ANSWER}, "close"}
    assert.equal("yes", sent)
    assert.is_nil(result.cut)
    sent, result = of{{"starttls"}, "read_request",
      {"send", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}, "close"}
    assert.equal("yes", sent)
    assert.equal("network", result.failure)
    assert.is_true(result.cut)
    sent, result = of{{"starttls"}, "read_request",
      {"send", "HTTP/1.1 401 No\r\nContent-Length: 10\r\n\r\nhalf"}, "close"}
    assert.equal("yes", sent)
    assert.equal(401, result.status)
    assert.is_true(result.cut)
  end)
end)
