-- The plugin for Kong, called as Kong calls it: what it has beside both_spec.

local auth = require "corebank.auth"
local gateway = require "spec.support.gateway"
local plugins = require "spec.support.plugins"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

local bank = sandbox.bank()

describe("the plugin for Kong #nginx", function()
  local gate, scenario

  before_each(function() scenario = bank:scenario{} end)
  after_each(gateway.stop_all)

  local function start(given) gate = plugins.start("kong", given) end
  local function options(changes) return plugins.options(scenario, changes) end

  local function put(list)
    assert.is_nil(gate:put(list))
  end

  it("keeps tokens without a request", function()
    scenario = bank:scenario{{validity = 3}}
    start()
    put{options{leeway = 0.5, refreshAhead = 1}}
    gate:get "/admin/reload?times=1"
    sandbox.await("no token is fetched", function() return scenario:posts() >= 1 end)
    sandbox.await("it is not refreshed", function() return scenario:posts() >= 2 end)
    assert.equal(200, (gate:get("/1/")))
  end)

  it("refuses a mistake before it is used, and names the option", function()
    start()
    local mistakes = {
      {{baseUrl = "nothing"}, "config.baseUrl: required field missing"},
      {{baseUrl = "ftp://bank.example"}, "baseUrl must begin with https://"},
      {{baseUrl = "http://bank.example"}, "baseUrl must begin with https://"},
      {{clientSecret = "nothing"}, "clientSecret is missing; give it or clientSecretFile"},
      {{clientSecretFile = "/x"}, "give clientSecret or clientSecretFile, not both"},
      {{clientSecret = ("canary-"):rep(20)}, "config.clientSecret: must have at most 100 "},
      {{timeout = 0}, "config.timeout: must be a number above 0 and at most 600"},
      {{timeout = "5"}, "config.timeout: expected a number"},
      {{attempts = 1.5}, "config.attempts: expected an integer"},
      {{minTls = "1.1"}, 'config.minTls: must be "1.2" or "1.3"'},
      {{headers = {Host = "x"}}, "config.headers: must not set Host"},
      {{headers = {Host = "{vault://env/x}"}}, "headers: must not set Host"},
      {{clientKey = "/x"}, "clientKey needs clientCert"},
      {{rejects = {200}}, "config.rejects: must be a list of statuses from 400 to 599"},
      {{tokenHeader = "a b"}, "config.tokenHeader: must be the name of a header"},
      {{scheme = "a b"}, "config.scheme: must be a word"},
      {{base_url = "x"}, "config.base_url: unknown field"},
      {{redis = {url = "http://x"}}, "redis has a mistake: url must begin with redis://"},
      {{redis = {url = "redis://x", password = "canary-word", passwordFile = "/x"}},
        "redis has a mistake: give password or passwordFile, not both"},
      {{tokenHeader = "Transfer-Encoding"}, "config.tokenHeader: must not be Transfer-Encoding"},
      {{tokenHeader = "Content-Length"}, "config.tokenHeader: must not be Content-Length"},
    }
    for _, each in ipairs(mistakes) do
      local said = gate:put{options(each[1])}
      assert.is_truthy(said and said:find(each[2], 1, true), each[2] .. " | " .. tostring(said))
      assert.is_nil(said:find("canary-", 1, true))
    end
  end)

  it("takes null for what is not given", function()
    start()
    put{options{caPath = auth.null, headers = auth.null, redis = auth.null}}
    assert.equal(200, (gate:get("/1/")))
  end)

  it("several configurations: each stands alone", function()
    start{workers = 1}
    local second = bank:scenario{}
    put{options(), options{clientSecret = "canary-secret-wrong"},
      plugins.options(second, {name = "second"})}
    assert.equal(200, (gate:get("/1/")))
    assert.equal(503, (gate:get("/2/")))
    assert.equal(200, (gate:get("/3/")))
    assert.equal(2, scenario:posts())   -- one was denied
    assert.equal(1, second:posts())
    assert.equal("3", gate:admin "banks")
    local _, _, page = gate:get "/metrics"
    assert.is_truthy(page:find('injected_total{bank="second"} 1', 1, true), page)
    local status
    status, _, page = gate:get("/status", {Accept = "application/json"})
    assert.equal(200, status)
    assert.is_truthy(page:find('"second"', 1, true), page)
  end)

  it("many reloads of many routes: one client, 1 POST, memory flat", function()
    start{workers = 1}
    put{options(), options(), options()}
    assert.equal(200, (gate:get("/3/")))
    gate:admin("reload", {times = 100})
    local before = tonumber(gate:admin "memory")
    for _ = 1, 10 do gate:admin("reload", {times = 1000}) end
    local after = tonumber(gate:admin "memory")
    assert.equal("1", gate:admin "banks")
    assert.equal(200, (gate:get("/1/")))
    assert.equal(1, scenario:posts())
    assert.is_true(after <= before + 64, ("%d KiB, then %d KiB"):format(before, after))
  end)

  it("G13: a hundred configurations that differ: all tokens are kept, one for each", function()
    start{workers = 1}
    local list = {}
    for i = 1, 100 do list[i] = options{headers = {["X-Tenant"] = "canary-" .. i}} end
    put(list)
    gate:admin("reload", {times = 1})
    sandbox.await("some have no token", function() return scenario:posts() == 100 end, 30)
    gate:admin("reload", {times = 100})
    assert.equal("100", gate:admin "banks")
    for i = 1, 100, 33 do assert.equal(200, (gate:get("/" .. i .. "/"))) end
    assert.equal(100, scenario:posts())
  end)

  it("a configuration that is gone keeps nothing", function()
    start{workers = 1}
    put{options(), plugins.options(bank:scenario{})}
    gate:admin("reload", {times = 1})
    assert.equal("2", gate:admin "banks")
    put{options()}
    gate:admin("reload", {times = 1})
    assert.equal("1", gate:admin "banks")
    put{}
    gate:admin("reload", {times = 1})
    assert.equal("0", gate:admin "banks")
  end)

  local REFERENCE = "{vault://env/bank-secret}"

  it("takes secrets from a vault, and does without a request's waiting for one that lacks",
    function()
      start{workers = 1}
      gate:admin("vault", {reference = REFERENCE, value = bank.clientSecret})
      put{options{clientSecret = REFERENCE}, options{clientSecret = "{vault://env/none}"}}
      assert.equal(200, (gate:get("/1/")))
      assert.equal(503, (gate:get("/2/")))
      assert.is_truthy(gate:log():find("clientSecret: the gateway could not resolve", 1, true))
      assert.equal(1, scenario:posts())
    end)

  it("hears of a secret that changes in the same table; the old client ends", function()
    start{workers = 1}
    gate:admin("vault", {reference = REFERENCE, value = "canary-secret-old"})
    put{options{clientSecret = REFERENCE}}
    assert.equal(503, (gate:get("/1/")))
    gate:admin("vault", {reference = REFERENCE, value = bank.clientSecret})
    assert.equal(200, (gate:get("/1/")))
    assert.equal("1", gate:admin "banks")
    -- The same without a request.
    gate:admin("vault", {reference = REFERENCE, value = "canary-secret-old"})
    sandbox.await("the change is not seen", function()
      return gate:metric 'corebank_auth_token_remaining_seconds{bank="localhost"}' == 0
        and gate:admin "banks" == "1"
    end)
    assert.equal(503, (gate:get("/1/")))
  end)

  it("fetches a token without a request when the vault has the secret at last", function()
    start{workers = 1}
    put{options{clientSecret = REFERENCE, headers = {["X-Key"] = "{vault://env/key}"}}}
    gate:admin("reload", {times = 1})
    assert.equal(0, scenario:posts())
    gate:admin("vault", {reference = REFERENCE, value = bank.clientSecret})
    sandbox.await("the missing header is not named", function()
      return gate:log():find("headers: the gateway could not resolve", 1, true)
    end)
    gate:admin("vault", {reference = "{vault://env/key}", value = "canary-key"})
    sandbox.await("no token is fetched", function() return scenario:posts() == 1 end)
  end)

  it("answers an error in the form that Kong has for the client", function()
    start()
    put{options{clientSecret = "canary-secret-wrong"}}
    local status, headers, body = gate:get("/1/", {Accept = "text/plain"})
    assert.equal(503, status)
    assert.equal("text/plain; charset=utf-8", headers["content-type"])
    assert.equal("no access token for the upstream service\n", body)
  end)
end)
