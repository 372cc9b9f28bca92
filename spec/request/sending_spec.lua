-- What a request looks like on the wire, and what comes back, by the sandbox's API.

local auth = require "corebank.auth"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local ACCOUNTS = "/api/accounts/v1/accounts"
local TRANSFERS = "/api/payments/v1/transfers"

describe("bank:request #transfer", function()
  local scenario, client

  local function open(changes)
    scenario = bank:scenario{}
    local given = {baseUrl = scenario.baseUrl}
    for name, value in pairs(changes or {}) do given[name] = value end
    client = auth.client(survive.options(given))
  end

  before_each(function() open() end)
  after_each(function() client:close() end)

  -- What the API saw of it, as JSON tells.
  local function echo(given)
    given.path = given.path or "/api/echo"
    local reply = assert(client:request(given))
    assert.equal(200, reply.status)
    return assert(reply:json()), reply
  end

  it("pages through accounts with one token", function()
    local ids, page = {}, 1
    repeat
      local reply = assert(client:request{path = ACCOUNTS, query = {page = page, size = 20}})
      local body = assert(reply:json())
      for _, account in ipairs(body.accounts) do ids[#ids + 1] = account.accountId end
      page = page + 1
    until page > body.pages
    assert.equal(60, #ids)
    assert.equal(1, scenario:posts())
  end)

  it("makes a transfer, its amount digit for digit", function()
    local reply = assert(client:request{path = TRANSFERS, headers = {["Idempotency-Key"] = "k-1"},
      json = {from = "1", to = "2", amount = 19.9}})
    assert.same({201, true}, {reply.status, reply.ok})
    assert.equal(19.9, assert(reply:json()).amount)
    assert.equal("application/json", reply.headers["content-type"]:match "^[^;]+")
    assert.is_string(reply.requestId)
    assert.same({received = 1, done = 1}, scenario:transfers())
  end)

  it("sends what was asked for, and each header once", function()
    open{headers = {["User-Agent"] = "of-the-client/1", ["X-Tenant"] = "t"}}
    local seen = echo{method = "PATCH", path = "/api/echo/a b", query = {q = "ä&="},
      headers = {["X-Own"] = "1", ["user-agent"] = "of-the-request/1"}, body = "text",
      contentType = "text/plain"}
    assert.equal("PATCH", seen.method)
    assert.equal("/api/echo/a b", seen.path)
    assert.equal("ä&=", seen.query.q)
    assert.equal("text", seen.body)
    assert.same({"1", "t", "of-the-request/1", "text/plain", "4",
      "application/json, */*;q=0.5"}, {seen.headers["x-own"], seen.headers["x-tenant"],
      seen.headers["user-agent"], seen.headers["content-type"], seen.headers["content-length"],
      seen.headers.accept})
    assert.is_nil(seen.headers.expect)
  end)

  it("has no form's type where there is no body", function()
    for _, method in ipairs{"POST", "PUT", "PATCH"} do
      local seen = echo{method = method}
      assert.same({method, "0", 0}, {seen.method, seen.headers["content-length"], seen.bytes})
      assert.is_nil(seen.headers["content-type"])
    end
    for _, method in ipairs{"GET", "DELETE"} do
      local seen = echo{method = method}
      assert.is_nil(seen.headers["content-length"])
      assert.is_nil(seen.headers["content-type"])
    end
  end)

  it("R15: takes answers without a body", function()
    local reply = assert(client:request{path = "/api/echo", query = {status = 204}})
    assert.same({204, ""}, {reply.status, reply.body})
    reply = assert(client:request{path = ACCOUNTS, method = "HEAD"})
    assert.same({200, ""}, {reply.status, reply.body})
    local value, reason = reply:json()
    assert.is_nil(value)
    assert.equal("the reply has no body", reason)
  end)

  it("sends no Expect with a large body, which would cost a second", function()
    local seen = echo{body = ("x"):rep(2000000)}
    assert.equal(2000000, seen.bytes)
    assert.is_nil(seen.headers.expect)
  end)

  it("returns any answer as a reply", function()
    for _, status in ipairs{301, 400, 403, 404, 409, 418, 500, 502} do
      local reply = assert(client:request{path = "/api/echo", query = {status = status}})
      assert.same({status, false}, {reply.status, reply.ok})
    end
  end)

  it("decodes a compressed answer, and counts its limit after that", function()
    local given = {path = ACCOUNTS .. "/1/statement", query = {bytes = 3000000, gzip = 1}}
    local reply = assert(client:request(given))
    assert.equal(3000000, #reply.body)
    given.maxBytes = 2999999
    local none, message, problem = client:request(given)
    assert.is_nil(none)
    assert.same({"too_large", "yes"}, {problem.code, problem.sent})
    assert.is_truthy(message:find("is larger than maxBytes (2999999); raise it, or use into", 1,
      true), message)
  end)

  it("follows no redirect: it is the reply, and no token goes elsewhere", function()
    local other = bank:scenario{}
    for _, target in ipairs{other:on "tls13" .. "/api/echo", "//evil.example/",
      "/s/NAME/api/echo"} do
      scenario:api{{redirect = target}, {}}
      local reply = assert(client:request{path = ACCOUNTS})
      assert.equal(307, reply.status)
      assert.is_string(reply.headers.location)
    end
    assert.equal(0, other:calls())
    assert.equal(3, scenario:calls())
  end)

  it("sends the token nowhere else, whatever a URL looks like", function()
    local port = scenario.baseUrl:match ":(%d+)/"
    local other = bank:scenario{}
    for _, url in ipairs{other:on "tls13" .. "/api/echo", "//localhost:1/api/echo",
      "https://localhost:" .. port .. "@evil.example/", "https://user@localhost:" .. port .. "/",
      "https://localhost%3A" .. port .. "/", "http://localhost:" .. port .. "/"} do
      local ok, message = pcall(function() return (client:request{url = url}) end)
      assert.is_false(ok, url)
      assert.is_truthy(message:find "sending_spec.lua:%d+: request: url ", message)
    end
    assert.equal(0, other:calls() + scenario:calls() + scenario:posts())
  end)

  it("goes to apiUrl with a token of baseUrl", function()
    open{apiUrl = bank.url}
    assert.equal(200, assert(client:request{path = ACCOUNTS}).status)
    assert.equal(1, scenario:posts())
    assert.equal(0, scenario:calls())
  end)

  it("speaks HTTP/2 where the server does, the token's POST HTTP/1.1", function()
    -- An idle connection is used whatever it speaks. With other limits of TLS there is none, and on
    -- another port none of the token's POST.
    local kept = auth.client(survive.options{baseUrl = scenario.baseUrl,
      apiUrl = scenario:on "http2", minTls = "1.3"})
    for _ = 1, 2 do assert.equal(200, assert(kept:request{path = ACCOUNTS}).status) end
    kept:close()
    assert.equal("HTTP/2.0", scenario:journal()[2].protocol)
    assert.is_truthy(scenario:requests()[1].header:find "^POST %S+ HTTP/1.1\r\n")
  end)

  it("shows no token in its reply, its problem or its explanation", function()
    local reply = assert(client:request{path = ACCOUNTS})
    survive.no_canary(tostring(reply))
    survive.no_canary(reply.headers)
    local _, message, problem = client:request{path = ACCOUNTS, query = {close = 1}, attempts = 1}
    assert.same({"network", "maybe"}, {problem.code, problem.sent})
    survive.no_canary{message, problem}
    survive.no_canary(client:explain())
  end)
end)

describe("R1: what may not be repeated #transfer", function()
  for _, server in ipairs{"main", "http2"} do
    for _, body in ipairs{'{"from":"1","to":"2","amount":5}', ""} do
      it(("counts once when a kept connection dies without an answer: %s, %d bytes"):format(server,
        #body), function()
        local scenario = bank:scenario{}
        local client = auth.client(survive.options{baseUrl = scenario:on(server), attempts = 3})
        assert(client:request{path = ACCOUNTS})
        scenario:api{{close = true}}
        local reply, _, problem = client:request{path = TRANSFERS, body = body, method = "POST"}
        client:close()
        assert.is_nil(reply)
        assert.same({"network", "maybe"}, {problem.code, problem.sent})
        assert.equal(1, scenario:transfers().received)
      end)
    end
  end

  it("is repeated with an Idempotency-Key, the same each time, and done once", function()
    local scenario = bank:scenario{}
    local client = auth.client(survive.options{baseUrl = scenario.baseUrl, attempts = 3})
    scenario:api{{close = true}, {status = 503}, {}}
    local reply = assert(client:request{path = TRANSFERS, headers = {["Idempotency-Key"] = "once"},
      json = {from = "1", to = "2", amount = 5}})
    client:close()
    assert.equal(201, reply.status)
    assert.equal(1, scenario:transfers().done)
    for _, seen in ipairs(scenario:journal()) do
      assert.equal("once", seen.headers["idempotency-key"])
    end
  end)
end)

describe("R10: a path that is always 401 #transfer", function()
  it("costs one new token, and then none for a while", function()
    local scenario = bank:scenario{}
    local client = auth.client(survive.options{baseUrl = scenario.baseUrl})
    for _ = 1, 10 do
      assert.equal(401, assert(client:request{path = ACCOUNTS .. "/forbidden"}).status)
      assert.equal(200, assert(client:request{path = ACCOUNTS}).status)
    end
    client:close()
    assert.equal(2, scenario:posts())
  end)

  it("unlike a token that was revoked, which is replaced", function()
    local scenario = bank:scenario{}
    local client = auth.client(survive.options{baseUrl = scenario.baseUrl})
    assert.equal(200, assert(client:request{path = ACCOUNTS}).status)
    scenario:revoke()
    local reply = assert(client:request{path = TRANSFERS,
      json = {from = "1", to = "2", amount = 1}})
    client:close()
    assert.equal(201, reply.status)
    assert.same({received = 2, done = 1}, scenario:transfers())
    assert.equal(2, scenario:posts())
  end)
end)
