--- Requests over HTTP/2, which share a connection: one that fails takes no other along.

local api_calls = require "spec.support.api_calls"
local core = require "corebank.auth.core"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

local function start(endpoint, request, seconds)
  if request.http2 == nil then request.http2 = true end
  return core.transfer(endpoint, request, survive.seconds(seconds or 5))
end

local finish = api_calls.finish

local function perform(endpoint, request, seconds)
  return finish(start(endpoint, request, seconds))
end

if not survive.hasHttp2 then
  describe("a request where libcurl has no HTTP/2 #transfer", function()
    it("is HTTP/1.1", function()
      local endpoint = api_calls.endpoint()
      local url = bank:scenario{{accept = "any"}}:on "http2"
      assert.equal("1.1", perform(endpoint, {url = url}).httpVersion)
      endpoint:close()
    end)
  end)
  return
end

describe("a request over HTTP/2 #transfer", function()
  local endpoint, raw

  before_each(function()
    endpoint = api_calls.endpoint()
  end)

  after_each(function()
    endpoint:close()
    if raw then raw:stop() end
    raw = nil
  end)

  -- A raw server, each of whose connections begins as HTTP/2 does.
  local function server(...)
    local connections = {...}
    for _, list in ipairs(connections) do
      table.insert(list, 1, {"starttls", alpn = "h2"})
      table.insert(list, 2, "h2_open")
    end
    raw = sandbox.raw{connections = connections}
    return raw.httpsUrl
  end

  it("is one where the server wants that, and HTTP/1.1 elsewhere", function()
    local scenario = bank:scenario{{accept = "any"}}
    assert.equal("2", perform(endpoint, {url = scenario:on "http2"}).httpVersion)
    assert.equal("1.1", perform(endpoint, {url = scenario.baseUrl}).httpVersion)
    assert.equal("1.1", perform(endpoint, {url = scenario:on "plain"}).httpVersion)
  end)

  it("leaves those HTTP/1.1 that ask for a token, must be sent once, or come in pieces", function()
    local url = bank:scenario{{accept = "any"}}:on "http2"
    assert.equal("2", perform(endpoint, {url = url}).httpVersion)
    for _, request in ipairs{{http2 = false}, {once = true}, {stream = true}} do
      request.url, request.method = url, "POST"
      assert.equal("1.1", perform(endpoint, request).httpVersion)
    end
    assert.equal("2", perform(endpoint, {url = url}).httpVersion)
  end)

  it("has any method and body, and any answer", function()
    local calls = api_calls.new "http2"
    for _, method in ipairs{"POST", "PUT", "DELETE", "GET", "HEAD"} do
      local result = calls:perform{path = "/echo", method = method, body = "a\0b", http2 = true}
      assert.equal("2", result.httpVersion)
      assert.equal(200, result.status)
      assert.equal(method, calls:last().method)
      assert.equal(method == "HEAD" and "" or "a\0b", calls:last().body)
    end
    calls:close()
  end)

  -- libcurl 7.88 waits for ever for what it has already read, when its buffer is small.
  it("ends, however large its answer is, compressed or not", function()
    local calls = api_calls.new "http2"
    for _, size in ipairs{0, 1023, 1024, 2048, 5000, 16385, 20000, 100001, 300000} do
      for _, more in ipairs{"", "&gzip=1"} do
        local result, body = calls:perform{http2 = true, decode = true, maxBytes = size,
          path = ("/accounts/v1/accounts/1/statement?bytes=%d%s"):format(size, more)}
        assert.equal(200, result.status, size)
        assert.equal(size, #body)
      end
    end
    calls:close()
  end)

  it("shares one connection with others, from the first on", function()
    local url = server{"h2_read", "h2_read", "h2_read", {"h2_answer", "{}"}, "silence"}
    local list = {}
    for i = 1, 3 do list[i] = start(endpoint, {url = url}) end
    assert.equal(200, finish(list[3]).status)
    assert.equal(1, raw:connections())
    for i = 1, 2 do list[i]:close() end
  end)

  it("that the server refuses is sent at most twice, and the next one works", function()
    local url = server({"h2_read", {"h2_reset", 7}, "silence"},
      {"h2_read", {"h2_reset", 7}, "silence"}, {"h2_read", {"h2_answer", "{}"}, "silence"})
    local result = perform(endpoint, {url = url})
    assert.equal("network", result.failure)
    assert.are_not.equal("yes", result.sent)
    assert.equal(2, raw:posts())
    assert.equal(200, perform(endpoint, {url = url}).status)
  end)

  for name, ending in pairs{["goes away from"] = {"h2_goaway", 1}, ["resets"] = {"h2_reset", 2},
    ["hangs up on"] = "close"} do
    it("that the server " .. name .. " is over, and the next one works", function()
      local url = server({"h2_read", {"h2_answer", "{}"}, "h2_read", ending, "h2_read",
        {"h2_answer", "{}"}, "silence"}, {"h2_read", {"h2_answer", "{}"}, "h2_read",
        {"h2_answer", "{}"}, "silence"})
      assert.equal(200, perform(endpoint, {url = url}).status)
      local result = perform(endpoint, {url = url})
      assert.is_truthy(result.failure == "network" or result.status == 200)
      assert.equal(200, perform(endpoint, {url = url}).status)
    end)
  end

  it("that is given up leaves the next one a connection that works", function()
    local url = server({"h2_read", {"h2_answer", "{}"}, "h2_read", "silence"},
      {"h2_read", {"h2_answer", "{}"}, "silence"})
    assert.equal(200, perform(endpoint, {url = url}).status)
    local transfer = start(endpoint, {url = url})
    sandbox.await("the second request does not arrive", function()
      transfer:wait(0.01)
      return raw:posts() == 2
    end)
    transfer:close()
    assert.equal(200, perform(endpoint, {url = url}).status)
  end)

  it("that took too long leaves the next one a connection that works", function()
    local url = server({"h2_read", {"h2_answer", "{}"}, "h2_read", "silence"},
      {"h2_read", {"h2_answer", "{}"}, "silence"})
    assert.equal(200, perform(endpoint, {url = url}).status)
    assert.equal("timeout", perform(endpoint, {url = url}, 0.3).failure)
    assert.equal(200, perform(endpoint, {url = url}).status)
  end)

  it("that took too long leaves others on its connection alone", function()
    local url = server{"h2_read", "h2_read", {"sleep", 0.5}, {"h2_answer", "{}"}, "silence"}
    local hasty = start(endpoint, {url = url}, 0.3)
    local patient = start(endpoint, {url = url})
    assert.equal("timeout", finish(hasty).failure)
    assert.equal(200, finish(patient).status)
    assert.equal(1, raw:connections())
  end)
end)
