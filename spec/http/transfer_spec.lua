-- A transfer by itself: any method, URL, header lines and body, with limits, on an endpoint that
-- many of them share.

local core = require "corebank.auth.core"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local JSON = "Content-Type: application/json"

local function new_endpoint(changes)
  local settings = {connectTimeout = 3, caFile = bank.caFile, proxy = "",
    headerLines = {"X-Gateway-Key: canary-key"}}
  for name, value in pairs(changes or {}) do settings[name] = value end
  return core.endpoint(settings)
end

-- What came of it, and the body.
local function finish(transfer)
  while not transfer:wait(1) do end
  local result, body = transfer:result(), transfer:body()
  assert.equal(result.status, transfer:status())
  transfer:close()
  return result, body
end

local function perform(endpoint, request)
  return finish(core.transfer(endpoint, request, survive.seconds(5)))
end

local function credentials(url)
  return {url = url .. "/api/auth/v1/authenticate", method = "POST", headers = {JSON},
    clientId = bank.clientId, clientSecret = core.secret(bank.clientSecret)}
end

-- So many bytes, of all kinds.
local function bytes(size) return ("x\1\255\0"):rep(math.ceil(size / 4)):sub(1, size) end

local function last(list) return list[#list] end

describe("a request #transfer", function()
  local scenario, endpoint

  before_each(function()
    scenario = bank:scenario{{accept = "any"}}
    endpoint = new_endpoint()
  end)

  after_each(function() endpoint:close() end)

  local function arrived(request)
    request.url = scenario.baseUrl .. "/thing?a=1&b=%20"
    local result, body = perform(endpoint, request)
    assert.is_nil(result.failure)
    return last(scenario:requests()), result, body
  end

  it("is a GET unless it says otherwise, with the endpoint's header lines and its own", function()
    local request = arrived{headers = {"X-Own: 1", "Accept: text/plain"}}
    assert.equal("GET", request.method)
    assert.is_truthy(request.uri:find("/thing?a=1&b=%20", 1, true))
    assert.equal("", request.body)
    assert.same({"canary-key"}, request.headers["x-gateway-key"])
    assert.same({"1"}, request.headers["x-own"])
    assert.same({"text/plain"}, request.headers.accept)
    assert.is_truthy(request.headers["user-agent"][1]:find "^corebank%-auth/")
    assert.is_nil(request.headers["content-type"])
    assert.is_nil(request.headers["content-length"])
  end)

  it("calls the API with a token", function()
    local transfer = core.transfer(endpoint, credentials(scenario.baseUrl), survive.seconds(5))
    while not transfer:wait(1) do end
    local token = assert(transfer:reply())
    local url = scenario.baseUrl .. "/api/accounts/v1/accounts"
    local result, body = perform(endpoint,
      {url = url, headers = {"Authorization: Bearer " .. token}})
    assert.equal(200, result.status)
    assert.is_truthy(body:find('"accountId":"1"', 1, true))
    assert.equal(401, perform(endpoint, {url = url}).status)
  end)

  it("has any method, with a body or without", function()
    for _, method in ipairs{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET"} do
      for _, body in ipairs{"a\0b", ""} do
        local request = arrived{method = method, body = body}
        assert.equal(method, request.method)
        assert.equal(body, request.body)
        assert.same({tostring(#body)}, request.headers["content-length"], method)
        assert.is_nil(request.headers["content-type"], method)
      end
      local request = arrived{method = method}
      assert.equal(method, request.method)
      assert.equal("", request.body)
      local expected = (method == "POST" or method == "PUT" or method == "PATCH") and {"0"} or nil
      assert.same(expected, request.headers["content-length"], method)
    end
  end)

  it("has a body of any size, as it is, and no Expect", function()
    for _, size in ipairs{2048, 2049, 300000} do
      local body = bytes(size)
      local request = arrived{method = "PUT", headers = {JSON}, body = body}
      assert.is_true(request.body == body, size)
      assert.same({"application/json"}, request.headers["content-type"])
      assert.is_nil(request.headers.expect)
    end
  end)

  it("leaves nothing to the next one on the same handle and connection", function()
    arrived{method = "PUT", headers = {JSON, "X-Own: 1"}, body = "a body"}
    local _, result, body = arrived{method = "HEAD", body = "of which a HEAD has none"}
    assert.equal("HEAD", last(scenario:requests()).method)
    assert.equal("", last(scenario:requests()).body)
    assert.is_true(result.status >= 200)
    assert.equal("", body)
    local request = arrived{}
    assert.equal("GET", request.method)
    assert.equal("", request.body)
    assert.is_nil(request.headers["x-own"])
    assert.is_nil(request.headers["content-type"])
    local list = scenario:requests()
    assert.equal(survive.keepsConnections, list[1].connection == last(list).connection)
  end)

  it("that lacks something, or has something else in its place, raises", function()
    for _, request in ipairs{{}, {url = 1}, {url = bank.url, method = 7},
      {url = bank.url, body = {}}, {url = bank.url, maxBytes = "many"},
      {url = bank.url, maxBytes = -1}, {url = bank.url, maxBytes = 0 / 0}} do
      assert.is_false((pcall(core.transfer, endpoint, request, 1)))
    end
    assert.is_false((pcall(core.transfer, {}, {url = bank.url}, 1)))
    assert.is_false((pcall(core.transfer, endpoint, bank.url, 1)))
  end)
end)

describe("an answer's body #transfer", function()
  local endpoint = new_endpoint()

  -- The result and body of a POST to a bank that answers with this step.
  local function answered(step, maxBytes)
    local scenario = bank:scenario{step}
    return perform(endpoint, {url = scenario.baseUrl .. "/thing", method = "POST",
      maxBytes = maxBytes})
  end

  it("is what was sent, up to the limit", function()
    for _, size in ipairs{0, 1, 4096, 4097, 100000, 1200000} do
      local sent = bytes(size)
      local result, body = answered({status = 200, body = sent}, size)
      assert.equal(200, result.status)
      assert.is_true(body == sent, size)
    end
  end)

  it("beyond the limit is too large for a 2xx, and cut off for another status", function()
    local sent = bytes(16000)
    local result, body = answered({status = 200, body = sent}, #sent - 1)
    assert.equal("too_large", result.failure)
    assert.equal("", body)
    result, body = answered({status = 404, body = sent}, 100)
    assert.is_nil(result.failure)
    assert.equal(404, result.status)
    assert.equal(sent:sub(1, 100), body)
  end)

  it("may have 64 KiB unless the request says otherwise", function()
    assert.equal(65536, #select(2, answered{status = 200, body = bytes(65536)}))
    assert.equal("too_large", answered{status = 200, body = bytes(65537)}.failure)
  end)

  it("that is compressed is none, for nobody asked for that", function()
    local result, body = answered{bomb = true}
    assert.equal(200, result.status)
    assert.is_nil(body)
  end)
end)

describe("an endpoint #transfer", function()
  it("may be closed twice, says so when used after, and shows nothing", function()
    local endpoint = new_endpoint{clientCert = "client.pem",
      clientKeyPassword = core.secret("canary-passphrase")}
    assert.equal("endpoint", tostring(endpoint))
    endpoint:close()
    endpoint:close()
    assert.equal("endpoint (closed)", tostring(endpoint))
    local ok, message = pcall(core.transfer, endpoint, {url = bank.url}, 1)
    assert.is_false(ok)
    assert.is_truthy(message:find("the endpoint is closed", 1, true), message)
    assert.is_false((pcall(core.endpoint)))
    assert.is_false((pcall(core.endpoint, {})))
  end)

  it("that is closed or collected leaves its transfers in flight alone", function()
    local scenario = bank:scenario{{delay = 0.1}}
    local url, list = scenario.baseUrl, {}
    for i = 1, 8 do
      local endpoint = new_endpoint()
      list[i] = core.transfer(endpoint, credentials(url), survive.seconds(5))
      if i % 2 == 0 then endpoint:close() end
    end
    collectgarbage()
    collectgarbage()
    for _, transfer in ipairs(list) do assert.equal(200, finish(transfer).status) end
    assert.equal(8, scenario:posts())
    survive.case{}
  end)

  it("is one of many: 40 of them in turn, each with its own header lines", function()
    local scenario = bank:scenario{}
    local list = {}
    for i = 1, 40 do list[i] = new_endpoint{headerLines = {"X-Number: " .. i}} end
    for _ = 1, 2 do
      for i = 1, 40 do
        assert.equal(200, perform(list[i], credentials(scenario.baseUrl)).status)
        assert.same({tostring(i)}, last(scenario:requests()).headers["x-number"])
      end
    end
    for i = 1, 40 do list[i]:close() end
    survive.case{}
  end)

  -- #slow: what the child abandons of its parent's transfer would be a leak to valgrind.
  it("is a child's, too, with connections of its own #slow", function()
    local scenario = bank:scenario{}
    local endpoint = new_endpoint()
    local under_way = core.transfer(endpoint, credentials(scenario.baseUrl), survive.seconds(5))
    assert.equal(200, perform(endpoint, credentials(scenario.baseUrl)).status)
    local child = process.fork(function()
      under_way:close()
      local first = perform(endpoint, credentials(scenario.baseUrl))
      endpoint:close()
      collectgarbage()
      return first.status == 200
    end)
    assert.equal(0, process.wait(child))
    assert.equal(200, finish(under_way).status)
    assert.equal(200, perform(endpoint, credentials(scenario.baseUrl)).status)
    local requests = scenario:requests()
    for i, request in ipairs(requests) do
      assert.is_true(i == 3 or request.connection ~= requests[3].connection)
    end
    endpoint:close()
  end)

  it("with a client's certificate asks for it at each request", function()
    local endpoint = new_endpoint{clientCert = bank.files.clientCert,
      clientKey = bank.files.clientKeyEncrypted,
      clientKeyPassword = core.secret(bank.files.clientKeyPassword)}
    local scenario = bank:scenario{}
    for _ = 1, 2 do
      assert.equal(200, perform(endpoint, credentials(scenario:on "mtls")).status)
    end
    local requests = scenario:requests()
    assert.are_not.equal(requests[1].connection, requests[2].connection)
    endpoint:close()
  end)
end)
