-- R5: functions that take or give large bodies: slow ones, ones that send requests, that close the
-- client, that have nothing at the moment, that never end; by the sandbox's API.

local api_calls = require "spec.support.api_calls"
local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local ECHO = "/api/echo"
local STATEMENT = "/api/accounts/v1/accounts/1/statement"
local MIB = 1048576

local function new_client(changes)
  local given = {baseUrl = bank:scenario{}.baseUrl, attempts = 1}
  for name, value in pairs(changes or {}) do given[name] = value end
  return auth.client(survive.options(given))
end

local function busy(seconds)
  local ends = core.boot() + seconds
  while core.boot() < ends do os.execute "sleep 0.1" end
end

-- A function for `body`; `before(n)` is called before the nth piece.
local function pieces(list, before)
  local n = 0
  return function()
    n = n + 1
    before(n)
    return list[n]
  end
end

describe("a function with a large body #transfer", function()
  local client

  before_each(function() client = new_client() end)
  after_each(function() client:close() end)

  it("may take longer than the timeout for one piece of an answer", function()
    local limit = survive.seconds(1)
    for _, size in ipairs{100000, 2 * MIB} do
      local length, count = 0, 0
      assert(client:request{path = STATEMENT, query = {bytes = size}, timeout = limit,
        into = function(piece)
          length, count = length + #piece, count + 1
          if count == 1 then busy(limit + 0.3) end
        end})
      assert.equal(size, length)
    end
  end)

  it("may take longer than the timeout for one piece of an upload, whichever", function()
    local limit = survive.seconds(1)
    for slow = 1, 3 do
      local reply = assert(client:request{path = ECHO, timeout = limit,
        body = pieces({"abc", "def"}, function(n) if n == slow then busy(limit + 0.3) end end)})
      assert.equal("abcdef", assert(reply:json()).body)
    end
  end)

  it("is asked for nothing while there is no connection", function()
    local asked = 0
    local reply, _, problem = client:request{path = ECHO, method = "POST",
      body = function() asked = asked + 1 end}
    assert.equal(200, reply and reply.status or problem)
    assert.equal(1, asked)
    local scenario = bank:scenario{}
    local lost = auth.client(survive.options{baseUrl = scenario.baseUrl, attempts = 2,
      apiUrl = "https://localhost:" .. sandbox.closedPort()})
    _, _, problem = lost:request{path = ECHO, body = function() asked = asked + 1 end}
    assert.same({"connect", "no", 2, 1}, {problem.code, problem.sent, problem.attempts, asked})
    lost:close()
  end)

  it("may give empty pieces, and one larger than any window", function()
    local large = ("0123456789abcdef"):rep(MIB / 4)
    local reply = assert(client:request{path = ECHO, method = "PUT", maxBytes = 64 * MIB,
      body = pieces({"", "a", "", "", large, "z"}, function() end)})
    assert.equal(#large + 2, assert(reply:json()).bytes)
  end)

  it("that never ends is not asked again when the answer has come", function()
    local scenario = bank:scenario{}
    local raw = sandbox.raw{connections = {{{"read", 1000},
      {"send", "HTTP/1.1 413 X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"}, "close"}}}
    local own = auth.client(survive.options{baseUrl = scenario.plainUrl, apiUrl = raw.url})
    local ends = core.boot() + survive.seconds(8)
    local reply = assert(own:request{path = ECHO, attempts = 1, body = function()
      assert(client:request{path = ECHO})   -- moves the upload on, too
      assert(core.boot() < ends, "asked for ever")
      return ("x"):rep(1000)
    end})
    assert.equal(413, reply.status)
    own:close()
    raw:stop()
  end)

  it("may send requests of its own, and none waits for the other", function()
    for _, server in ipairs{"plain", "main", "http2"} do
      local own = new_client{baseUrl = bank:scenario{}:on(server), timeout = survive.seconds(6)}
      local began, length, count = core.boot(), 0, 0
      assert(own:request{path = STATEMENT, query = {bytes = MIB}, into = function()
        count = count + 1
        assert(own:request{path = STATEMENT, query = {bytes = MIB},
          into = function(piece) length = length + #piece end})
      end})
      assert.equal(count * MIB, length)
      if server ~= "http2" then   -- whose nginx takes no chunks of a request that it answers so
        assert(own:request{path = ECHO, body = pieces({"a", "b"}, function()
          assert.equal(200, assert(own:request{path = ECHO}).status)
        end)})
      end
      assert.is_true(core.boot() - began < survive.seconds(4), core.boot() - began)
      own:close()
    end
  end)

  it("that closes the client ends the request at once", function()
    local length = 0
    local reply, _, problem = client:request{path = STATEMENT, query = {bytes = 20 * MIB},
      into = function(piece)
        length = length + #piece
        client:close()
      end}
    assert.is_nil(reply)
    assert.equal("closed", problem.code)
    assert.are_not.equal("no", problem.sent)
    assert.is_true(length < MIB, length)
    client = new_client()
    local asked = 0
    _, _, problem = client:request{path = ECHO, body = function()
      asked = asked + 1
      if asked == 3 then client:close() end
      return "piece"
    end}
    assert.same({"closed", 3}, {problem.code, asked})
    assert.are_not.equal("no", problem.sent)
  end)
end)

describe("a body that stops moving #transfer", function()
  it("is a timeout that names the option, in either direction", function()
    local limit = survive.seconds(0.5)
    for _, actions in ipairs{
      {"read_request", {"send", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"}, "silence"},
      {{"read", 1000}, "silence"},
    } do
      local raw = sandbox.raw{connections = {actions}}
      local client = auth.client(survive.options{baseUrl = bank:scenario{}.plainUrl,
        apiUrl = raw.url})
      local reply, message, problem = client:request{path = "/a", timeout = limit, attempts = 1,
        into = function() end,
        body = actions[1] ~= "read_request" and function() return ("x"):rep(100000) end or nil}
      assert.is_nil(reply)
      assert.equal("timeout", problem.code)
      assert.is_truthy(message:find "; raise timeout$", message)
      client:close()
      raw:stop()
    end
  end)
end)

describe("requests over HTTP/2 #transfer", function()
  it("leave handles that other requests can use", function()
    if not survive.hasHttp2 then return end
    local calls = api_calls.new "http2"
    local slow = calls:start{path = "/echo?delay=0.5", http2 = true}
    for _ = 1, 3 do
      assert.equal(200, calls:perform{path = "/echo", http2 = true}.status)
      assert.equal(200, calls:perform{path = "/echo", stream = true}.status)
    end
    assert.equal(200, api_calls.finish(slow).status)
    calls:close()
  end)
end)
