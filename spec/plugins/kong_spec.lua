-- The plugin for Kong, called as Kong calls it.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local plugins = require "spec.support.plugins"
local redis = require "spec.support.redis"
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

  it("carries a token, in place of what the client sent", function()
    start()
    put{options()}
    for _ = 1, 5 do
      assert.equal(200, (gate:get("/1/", {Authorization = "Bearer of-the-client"})))
    end
    assert.equal(5, gate:count "good")
    assert.equal(0, gate:count "bad")
    assert.equal(1, scenario:posts())
  end)

  it("keeps tokens without a request", function()
    scenario = bank:scenario{{validity = 3}}
    start()
    put{options{leeway = 0.5, refreshAhead = 1}}
    gate:get "/admin/reload?times=1"
    sandbox.await("no token is fetched", function() return scenario:posts() >= 1 end)
    sandbox.await("it is not refreshed", function() return scenario:posts() >= 2 end)
    assert.equal(200, (gate:get("/1/")))
  end)

  it("G10: another header, or the token alone; the client's own Authorization passes", function()
    start()
    put{options{tokenHeader = "X-Token", scheme = ""}}
    assert.equal(200, (gate:get("/1/")))
    assert.equal(1, gate:count "good")
    gate:get("/1/", {Authorization = "Bearer of-the-client"})
    assert.equal(1, gate:count "own")
  end)

  it("G11: without a token answers 503 in Kong's form, and the upstream sees nothing", function()
    start()
    put{options{clientSecret = "canary-secret-wrong"}}
    local status, headers, body = gate:get("/1/", {Authorization = "Bearer of-the-client"})
    assert.equal(503, status)
    assert.equal("5", headers["retry-after"])
    assert.same({message = "no access token for the upstream service"}, auth.json.decode(body))
    assert.equal(0, gate:count "good")
    assert.equal(0, gate:count "bad")
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
      assert.is_truthy(gate:log():find("clientSecret must not be empty; its requests", 1, true))
      assert.equal(1, scenario:posts())
    end)

  it("hears of a secret that changes in the same table; the old client ends", function()
    start{workers = 1}
    gate:admin("vault", {reference = REFERENCE, value = "canary-secret-old"})
    put{options{clientSecret = REFERENCE}}
    assert.equal(503, (gate:get("/1/")))
    gate:admin("rotate", {route = 1, value = bank.clientSecret})
    assert.equal(200, (gate:get("/1/")))
    assert.equal("1", gate:admin "banks")
    -- The same without a request.
    gate:admin("rotate", {route = 1, value = "canary-secret-old"})
    sandbox.await("the change is not seen", function()
      return gate:metric 'corebank_auth_token_remaining_seconds{bank="localhost"}' == 0
        and gate:admin "banks" == "1"
    end)
    assert.equal(503, (gate:get("/1/")))
  end)

  it("G12: a secret file that comes late heals", function()
    local path = os.tmpname()
    os.remove(path)
    start()
    put{options{clientSecret = "nothing", clientSecretFile = path}}
    assert.equal(503, (gate:get("/1/")))
    files.write(path, bank.clientSecret .. "\n", "600")
    gate:await_status(200, "/1/")
    os.remove(path)
  end)

  for name, case in pairs{
    ["a 401"] = {"/1/?status=401", {}, 401},
    ["a status that the operator names"] = {"/1/?status=403", {rejects = {401, 403}}, 403},
    ["gRPC's status 16"] = {"/1/?grpc=16", {}, 200},
  } do
    it("G9: a rejection is " .. name .. ", and the next token is fetched at once", function()
      start()
      put{options(case[2])}
      assert.equal(200, (gate:get("/1/?grpc=0")))
      assert.equal(404, (gate:get("/1/?status=404")))
      assert.equal(1, scenario:posts())
      assert.equal(case[3], (gate:get(case[1])))
      sandbox.await("no next token", function() return scenario:posts() == 2 end)
      sandbox.await("it is not used", function()
        gate:get("/1/")
        return gate:count "tokens" == 2
      end)
    end)
  end

  it("G8: one path that is always answered 401 takes nobody's token while the bank is down",
    function()
      scenario = bank:scenario{{}, {status = 503}}
      start()
      put{options{attempts = 1}}
      for _ = 1, 5 do
        assert.equal(401, (gate:get("/1/?status=401")))
        assert.same({[200] = 10}, gate:at_once(10, "/1/"))
      end
      assert.equal(1, gate:count "tokens")
    end)

  it("many at once wait for one token", function()
    scenario = bank:scenario{{delay = 0.3}}
    start()
    put{options()}
    assert.same({[200] = 100}, gate:at_once(100, "/1/"))
    assert.equal(1, scenario:posts())
  end)

  it("the node that is tried next gets the token, too", function()
    start()
    put{options()}
    assert.equal(200, (gate:get("/1/?retry=1")))
    assert.equal(0, gate:count "bad")
  end)

  it("G4: X-Accel-Redirect leads nowhere with the line that the page gives", function()
    start{location = "proxy_ignore_headers X-Accel-Redirect;"}
    put{options(), options{clientSecret = "canary-secret-wrong"}}
    assert.equal(200, (gate:get("/1/?accel=/2/")))
    assert.equal(1, gate:count "good")
    assert.equal(0, gate:count "bad")
  end)

  it("plugins that log a request's headers do not see the token", function()
    start{level = "info"}
    put{options(), options{tokenHeader = "X-Token"}}
    for _, path in ipairs{"/1/", "/2/", "/1/?status=401", "/1/?status=500",
      "/1/?nofilter=1"} do
      gate:get(path, {["X-Mine"] = "mine"})
      local logged
      sandbox.await("nothing is logged", function()
        logged = gate:admin "logged"
        return logged:find("mine", 1, true)
      end)
      assert.is_nil(logged:find("canary-", 1, true), logged)
    end
    assert.is_nil(gate:log():find("[error]", 1, true))
  end)

  it("a fleet shares one token in Redis; its URL may be a reference", function()
    if not redis.possible then return end
    local server = redis.start()
    for i, conf in ipairs{options{redis = {url = server.url}},
      options{redis = {url = "{vault://env/redis}"}, dict = "corebank"}} do
      start{workers = 1}
      gate:admin("vault", {reference = "{vault://env/redis}", value = server.url})
      put{conf}
      assert.equal(200, (gate:get("/1/")))
      assert.equal(1, scenario:posts(), i)
      assert.equal("", gate:stop())
    end
    redis.stop_all()
  end)

  it("without the dict each worker has its own token, and the log says so once", function()
    start{dict = "", workers = 1}
    put{options()}
    for _ = 1, 3 do assert.equal(200, (gate:get("/1/"))) end
    assert.equal(1, scenario:posts())
    local _, count = gate:log():gsub("there is no lua_shared_dict 'corebank'", "")
    assert.equal(1, count)
    assert.equal(3, gate:metric 'corebank_auth_injected_total{bank="localhost"}')
    put{options{dict = "none"}}
    assert.equal(503, (gate:get("/1/")))
  end)
end)
