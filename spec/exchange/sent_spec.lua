-- What is sent to the bank.

local auth = require "corebank.auth"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

describe("what is sent #transfer", function()
  local function sent(options)
    local scenario = bank:scenario{{accept = "any"}}
    options = survive.options(options)
    options.baseUrl = scenario.baseUrl .. "/"   -- the slash must not double
    assert(auth.authenticate(options))
    return scenario:requests()[1], scenario
  end

  it("is the documented request and nothing else", function()
    local request, scenario = sent{}
    assert.equal("POST", request.method)
    assert.equal(scenario.baseUrl:match("(/s/.*)") .. "/api/auth/v1/authenticate", request.uri)
    assert.same({"application/json"}, request.headers["content-type"])
    assert.is_nil(request.headers.expect or request.headers.cookie
      or request.headers["accept-encoding"] or request.headers.authorization)
    assert.is_truthy(request.header:find("^POST %S+ HTTP/1%.1\r\n"))
    assert.same({"corebank-auth/" .. auth.VERSION}, request.headers["user-agent"])
    assert.same({tostring(#request.body)}, request.headers["content-length"])
    assert.equal(('{"clientId":"%s","clientSecret":"%s"}'):format(bank.clientId,
      bank.clientSecret), request.body)
  end)

  it("is correct JSON whatever the credentials hold", function()
    local json = require "dkjson"
    local id = 'quote " backslash \\ slash / tab \t bell \7 del \127'
    local secret = "Ünïcödé 密码 🔑 \1\31 {}[],:"
    local request = sent{clientId = id, clientSecret = secret}
    assert.same({clientId = id, clientSecret = secret}, (json.decode(request.body)))
    assert.is_nil(request.body:find("[%z\1-\31]"))
  end)

  it("is complete with the longest credentials in the longest encodings", function()
    local json = require "dkjson"
    for _, character in ipairs{"\1", "🔑", '"'} do
      local long = character:rep(100)
      local request = sent{clientId = long, clientSecret = long}
      assert.same({clientId = long, clientSecret = long}, (json.decode(request.body)))
    end
  end)

  it("carries the caller's headers, an empty one too", function()
    local request = sent{headers = {["X-Gateway-Key"] = "k 1", ["X-Empty"] = ""}}
    assert.same({"k 1"}, request.headers["x-gateway-key"])
    assert.same({""}, request.headers["x-empty"])
  end)

  it("has one User-Agent: the caller's, if there is one", function()
    assert.same({"mine/1"}, sent{headers = {["user-agent"] = "mine/1"}}.headers["user-agent"])
    assert.same({""}, sent{headers = {["User-Agent"] = ""}}.headers["user-agent"])
  end)

  it("goes to another path when asked to", function()
    local scenario = bank:scenario{{accept = "any"}}
    assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl, path = "/oauth/v2/login"}))
    assert.is_truthy(scenario:requests()[1].uri:find("/oauth/v2/login$"))
  end)

  it("uses the kept connection", function()
    local scenario = bank:scenario{}
    for _ = 1, 3 do assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl})) end
    local requests = scenario:requests()
    assert.equal(survive.keepsConnections, requests[1].connection == requests[3].connection)
  end)
end)
