-- FIELD S21: by which the bank knows a request, for whoever asks its support about a refusal.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local user = command.user(setup, teardown)

local function refused(headers, changes)
  local step = {status = 403, headers = headers, body = '{"errorCode":"ACC_LOCKED"}'}
  for name, value in pairs(changes and changes.step or {}) do step[name] = value end
  local scenario = bank:scenario{step}
  local options = survive.options{baseUrl = scenario.baseUrl}
  for name, value in pairs(changes and changes.options or {}) do options[name] = value end
  local _, _, problem = auth.authenticate(options)
  survive.no_canary(problem)
  return problem
end

describe("S21: problem.requestId #transfer", function()
  for _, name in ipairs{"X-Correlation-ID", "X-Request-ID", "X-Amzn-RequestId", "x-request-id",
    "Request-Id", "Correlation-Id", "X-CorrelationId", "x-ms-request-id", "X-Kong-Request-Id",
    "X-Global-Transaction-ID", "x-fapi-interaction-id", "X-B3-TraceId", "X-Amzn-Trace-Id"} do
    it("is what " .. name .. " says", function()
      local problem = refused{[name] = "7f3c-11ee_0:9=a"}
      assert.equal("7f3c-11ee_0:9=a", problem.requestId)
      assert.equal("denied", problem.code)
      assert.is_nil(problem.message:find("7f3c", 1, true))
    end)
  end

  it("is the correlation's, where there are several", function()
    assert.equal("one", refused{["X-Request-ID"] = "two", ["X-Correlation-ID"] = "one",
      ["X-B3-TraceId"] = "three"}.requestId)
  end)

  it("is there with every refusal that the bank sent", function()
    for status, code in pairs{[401] = "denied", [429] = "limited", [503] = "server",
      [404] = "status", [200] = "response", [204] = "response"} do
      local problem = refused({["X-Request-ID"] = "id-1"},
        {step = {status = status, body = status == 204 and "" or nil}})
      assert.equal(code, problem.code)
      assert.equal("id-1", problem.requestId)
    end
  end)

  it("is nil where no header tells it", function()
    assert.is_nil(refused{}.requestId)
    assert.is_nil(refused{["X-Session-ID"] = "s", Id = "i", ["X-Customer-Id"] = "c"}.requestId)
    assert.is_nil(select(3, auth.authenticate(survive.options{
      baseUrl = "http://127.0.0.1:" .. sandbox.closedPort()})).requestId)
  end)

  for what, value in pairs{
    ["a space"] = "two words", ["UTF-8"] = "\195\169", ["129 characters"] = ("x"):rep(129),
    ["nothing"] = "", ["a quote of a token"] = "canary-token-1",
    ["a JWT"] = "eyJhbGciOiJIUzI1NiJ9.e30.x", ["a header's value"] = "Bearer:abc",
  } do
    it("is nil where it has " .. what, function()
      assert.is_nil(refused{["X-Request-ID"] = value}.requestId)
    end)
  end

  it("of 128 characters is taken", function()
    assert.equal(("x"):rep(128), refused{["X-Request-ID"] = ("x"):rep(128)}.requestId)
  end)

  it("shows no credential that it quotes", function()
    local options = {clientId = "my-client", clientSecret = "Pa55%w0rd-xyz"}
    local changes = {options = options}
    assert.equal("1-*********-2", refused({["X-Request-ID"] = "1-MY-client-2"}, changes).requestId)
    assert.equal("1-*************-2",
      refused({["X-Request-ID"] = "1-Pa55%w0rd-xyz-2"}, changes).requestId)
    assert.is_nil(refused{["X-Request-ID"] = bank.clientSecret}.requestId)
  end)

  it("is remembered by a client, and told by the command, run after run #slow", function()
    local scenario = bank:scenario{{status = 403, headers = {["X-Correlation-ID"] = "id-4711"}}}
    local client = auth.client(survive.options{baseUrl = scenario.baseUrl})
    assert.equal("id-4711", select(3, client:token()).requestId)
    local remembered = select(3, client:token())
    assert.is_true(remembered.remembered)
    assert.equal("id-4711", remembered.requestId)
    client:close()

    for _ = 1, 2 do
      local ran = user:run(command.trusting{"token"}, {COREBANK_BASE_URL = scenario.baseUrl})
      assert.equal(3, ran.status)
      assert.is_truthy(ran.err:find("; for the bank this is request id-4711", 1, true), ran.err)
    end
    assert.equal(2, scenario:posts())
  end)
end)
