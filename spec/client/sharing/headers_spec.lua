-- S11: which request headers tell the entries of a store apart, and which do not.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local user = command.user(setup, teardown)

-- Each client of `all` takes its token from one store, one after the other; how many POSTs that is.
local function posts_of(all)
  local scenario, store = bank:scenario{{}}, auth.store.memory()
  for _, headers in ipairs(all) do
    local client = auth.client(survive.options{baseUrl = scenario.baseUrl, store = store,
      headers = headers})
    assert(client:token())
    survive.no_canary(client)
    survive.no_canary(client.shared)
    client:close()
  end
  return scenario:posts()
end

describe("S11: headers in a store", function()
  it("that say what a token is for tell entries apart", function()
    local a, b = {["X-Tenant"] = "canary-secret-a"}, {["X-Tenant"] = "canary-secret-b"}
    assert.equal(2, posts_of{a, b, a})
    assert.equal(3, posts_of{{}, {["X-Tenant"] = "a"}, {["X-Tenant"] = ""}, {}})
    assert.equal(2, posts_of{{["X-Tenant"] = "a"}, {["X-Branch"] = "a"}})
    assert.equal(2, posts_of{{["X-Tenant"] = "a"}, {["X-Tenant"] = "A"}})
    assert.equal(2, posts_of{{["X-A"] = "1", ["X-B"] = "2"}, {["X-A"] = "2", ["X-B"] = "1"}})
    assert.equal(2, posts_of{{["X-Tenant-ID"] = "1"}, {["X-Tenant-ID"] = "2"}})
    assert.equal(2, posts_of{{["X-Session-ID"] = "1"}, {["X-Session-ID"] = "2"}})
    assert.equal(2, posts_of{{["X-Request-Tenant"] = "1"}, {["X-Request-Tenant"] = "2"}})
    assert.equal(2, posts_of{{["X-A"] = "1"}, {["X-A"] = "1", ["X-B"] = "1"}})
  end)

  it("are the same in any order, any case of their names, and with any space around", function()
    assert.equal(1, posts_of{{["X-Tenant"] = "a", ["X-Zone"] = "z"},
      {["x-zone"] = "z", ["x-TENANT"] = "a"}, {["X-Tenant"] = " a ", ["X-Zone"] = "z"}})
  end)

  it("that only number, date or trace requests do not", function()
    for _, name in ipairs{"X-Request-ID", "x-request-id", "Request-Id", "X-Correlation-ID",
      "traceparent", "TraceParent", "tracestate", "baggage", "Idempotency-Key", "X-Amzn-Trace-Id",
      "b3", "X-B3-TraceId", "X-B3-SpanId", "X-Cloud-Trace-Context", "uber-trace-id",
      "X-Datadog-Trace-Id", "X-FAPI-Interaction-ID", "X-Timestamp", "X-Kong-Request-Id",
      "X_Request_ID", "X-Global-Transaction-ID", "CorrelationId", "X-Tracking-Id",
      "X-Message-Id"} do
      assert.equal(1, posts_of{{[name] = "1"}, {[name] = "2"}, {}}, name)
    end
    assert.equal(2, posts_of{{["X-Tenant"] = "a", ["X-Request-ID"] = "1"},
      {["X-Tenant"] = "a", ["X-Request-ID"] = "2"}, {["X-Tenant"] = "b", ["X-Request-ID"] = "2"}})
  end)

  it("of a command do the same, and none is in the store's names", function()
    local scenario = bank:scenario{{}}
    local function token(...)
      local words = command.trusting{"token"}
      for _, header in ipairs{...} do
        words[#words + 1], words[#words + 2] = "--header", header
      end
      local result = user:run(words, {COREBANK_BASE_URL = scenario.baseUrl})
      assert.equal("", result.err)
      assert.equal(0, result.status)
      return result.out
    end
    local a = token("X-Tenant: canary-secret-a")
    assert.not_equal(a, token("X-Tenant: canary-secret-b"))
    assert.equal(a, token("x-tenant: canary-secret-a", "X-Request-ID: 7"))
    assert.equal(2, scenario:posts())
    for _, name in ipairs(files.lines_of("find '" .. user.home .. "/.cache' -printf '%f\\n'")) do
      survive.no_canary(name)
    end
  end)
end)
