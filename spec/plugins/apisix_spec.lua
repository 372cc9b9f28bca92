-- The plugin for APISIX, called as APISIX calls it: what it has beside both_spec.

local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local plugins = require "spec.support.plugins"
local sandbox = require "spec.sandbox"
local socket = require "socket"

if not gateway.possible then return end

local bank = sandbox.bank()

describe("the plugin for APISIX #nginx", function()
  local gate, scenario

  before_each(function() scenario = bank:scenario{} end)
  after_each(gateway.stop_all)

  local function start(given) gate = plugins.start("apisix", given) end
  local function options(changes) return plugins.options(scenario, changes) end

  local function put(list)
    assert.is_nil(gate:put(list))
  end

  it("does nothing in the privileged agent, and ends without a word", function()
    start()
    put{options()}
    assert.equal(200, (gate:get("/1/")))
    gate:reload()
    put{options()}
    assert.equal(200, (gate:get("/1/")))
    assert.equal("", gate:log())
  end)

  it("a worker that is exiting answers its last request without a word", function()
    start{workers = 1}
    put{options()}
    assert.equal(200, (gate:get("/1/")))
    local last = assert(socket.connect("127.0.0.1", gate.port))
    last:settimeout(20)
    assert(last:send "GET /1/ HTTP/1.1\r\nHost: gateway\r\n")
    assert.equal(200, (gate:get("/1/")))   -- the worker has read what was sent before
    local old = gate:workers()[1]
    gate:reload()
    sandbox.await("the worker does not exit", function()
      return files.content("/proc/" .. old .. "/cmdline"):find("shutting down", 1, true)
    end)
    assert(last:send "Connection: close\r\n\r\n")
    assert.equal("HTTP/1.1 200 OK", (last:receive "*l"))
    last:close()
    assert.equal("", gate:log())
  end)

  it("keeps the token fresh while requests use it", function()
    scenario = bank:scenario{{validity = 3}}
    start{workers = 1}
    put{options{leeway = 0.5, refreshAhead = 1}}
    assert.equal(200, (gate:get("/1/")))
    sandbox.await("it is not refreshed", function() return scenario:posts() >= 2 end)
    assert.equal(200, (gate:get("/1/")))
  end)

  it("G4: a request that proxy-mirror sends to another server as well is refused", function()
    start()
    put{options()}
    assert.equal(503, (gate:get("/1/?mirror=1")))
    assert.equal(0, gate:count "good")
    assert.is_truthy(gate:log():find("proxy-mirror would send the token", 1, true))
  end)

  it("refuses a mistake before it is used, and names the option", function()
    start()
    local mistakes = {
      {{baseUrl = "nothing"}, 'property "baseUrl" is required'},
      {{baseUrl = "ftp://bank.example"}, "baseUrl must begin with https://"},
      {{clientSecret = "nothing"}, "clientSecret is missing; give it or clientSecretFile"},
      {{clientSecretFile = "/x"}, "give clientSecret or clientSecretFile, not both"},
      {{clientSecret = ("canary-"):rep(20)}, "clientSecret must have at most 100 "},
      {{timeout = 0}, "timeout must be a number above 0 and at most 600"},
      {{timeout = "5"}, 'property "timeout" validation failed: wrong type'},
      {{minTls = "1.1"}, 'minTls must be "1.2" or "1.3"'},
      {{headers = {Host = "x"}}, "headers must not set Host"},
      {{headers = {Host = "$env://X"}}, "headers must not set Host"},
      {{clientKey = "/x"}, "clientKey needs clientCert"},
      {{rejects = {200}}, "rejects must be a list of statuses from 400 to 599"},
      {{tokenHeader = "a b"}, "tokenHeader must be the name of a header"},
      {{base_url = "x"}, "unknown option 'base_url'; did you mean 'baseUrl'?"},
      {{redis = {url = "http://x"}}, "redis has a mistake: url must begin with redis://"},
      {{redis = {url = "redis://x", password = "canary-word", passwordFile = "/x"}},
        "redis has a mistake: give password or passwordFile, not both"},
      {{redis = {passwordFile = ""}}, "redis has a mistake: passwordFile must not be empty"},
      {{redis = {uri = "redis://x"}}, "redis has a mistake: unknown option 'uri'; there are url, "},
      {{redis = {"redis://x"}}, "redis has a mistake: unknown option '1'"},
      {{tokenHeader = "Host"}, "tokenHeader must not be Host, which the gateway sets itself"},
      {{tokenHeader = "content-length"}, "tokenHeader must not be content-length, which the"},
      {{clientSecret = "$env://SECRET", timeout = -1}, "timeout must be"},
    }
    for _, each in ipairs(mistakes) do
      local said = gate:put{options(each[1])}
      assert.is_truthy(said and said:find(each[2], 1, true), each[2] .. " | " .. tostring(said))
      assert.is_nil(said:find("canary-", 1, true))
    end
    assert.equal("truenil", gate:admin "metadata")
    assert.equal("clientSecret clientKeyPassword proxy redis.url redis.password",
      gate:admin "encrypted")
  end)

  it("with etcd takes values that APISIX has encrypted, and refuses mistakes in others", function()
    start()
    gate:admin("source", {type = "etcd"})
    local long = ("canary-"):rep(14)   -- encrypted, it is longer than a client secret may be
    put{options{proxy = "", redis = {url = "redis://:canary-word@127.0.0.1:1"}},
      options{clientSecret = long, proxy = "http://canary-user:canary-word@127.0.0.1:1"}}
    assert.equal(200, (gate:get("/1/")))
    assert.equal(503, (gate:get("/2/")))
    assert.is_nil(gate:log():find("setup: ", 1, true))
    for _, wrong in ipairs{{proxy = "ftp://x"}, {redis = {url = "http://x"}}, {timeout = 0}} do
      local said = gate:put{options(wrong)}
      assert.is_truthy(said and said:find(next(wrong), 1, true), said)
    end
  end)

  it("takes what APISIX adds to a configuration", function()
    start()
    put{options{_meta = {priority = 2000}, _from_consumer = true}}
    assert.equal(200, (gate:get("/1/")))
  end)

  it("a global rule and a route: the request has both tokens, and loggers none", function()
    start{workers = 1}
    local second = bank:scenario{}
    put{options(), plugins.options(second, {tokenHeader = "X-Token", name = "second"})}
    assert.equal(200, (gate:get("/1/?global=2")))
    assert.is_nil(gate:admin("logged"):find("canary-", 1, true))
    assert.equal(401, (gate:get("/1/?global=2&status=401")))
    sandbox.await("one is not replaced", function()
      return scenario:posts() == 2 and second:posts() == 2
    end)
  end)

  it("a global rule and a route with the same header: the route's token counts", function()
    start{workers = 1}
    local second = bank:scenario{}
    put{options(), plugins.options(second, {tokenHeader = "AUTHORIZATION", name = "second"})}
    assert.equal(401, (gate:get("/2/?global=1&status=401")))
    sandbox.await("it is not replaced", function() return second:posts() == 2 end)
    assert.equal(0, gate:metric 'corebank_auth_invalidated_total{bank="localhost"}')
  end)

  it("many changes of the file, and many consumers: one client, 1 POST, memory flat", function()
    start{workers = 1}
    put{options(), options(), options()}
    local function use_all()
      for i = 1, 3 do assert.equal(200, (gate:get(("/%d/"):format(i)))) end
      for i = 1, 20 do assert.equal(200, (gate:get("/1/?consumer=c" .. i))) end
    end
    use_all()
    gate:admin("reload", {times = 100})
    local before = tonumber(gate:admin "memory")
    for _ = 1, 10 do
      gate:admin("reload", {times = 1000})
      use_all()
    end
    gate:admin("reload", {times = 1})
    local after = tonumber(gate:admin "memory")
    assert.equal("1", gate:admin "banks")
    assert.equal(1, scenario:posts())
    assert.is_true(after <= before + 128, ("%d KiB, then %d KiB"):format(before, after))
  end)

  it("one client hears of a rejection for all routes and consumers", function()
    start{workers = 1}
    put{options(), options()}
    assert.equal(200, (gate:get("/1/?consumer=a")))
    assert.equal(200, (gate:get("/2/")))
    gate:switch("revoke", true)
    assert.equal(401, (gate:get("/2/?consumer=b")))
    sandbox.await("no next token", function() return scenario:posts() == 2 end)
    sandbox.await("it is not used", function() return (gate:get("/1/?consumer=a")) == 200 end)
  end)

  for name, reference in pairs{["$env://BANK_SECRET"] = "$env://BANK_SECRET",
    ["$secret://"] = "$secret://vault/1/bank/secret", ["$ENV://"] = "$ENV://BANK_SECRET"} do
    it("takes secrets by " .. name .. ", and sees that they change", function()
      start{workers = 1}
      put{options{clientSecret = reference}}
      assert.equal(503, (gate:get("/1/")))
      assert.is_truthy(gate:log():find("clientSecret: the gateway could not resolve", 1, true))
      assert.equal(0, scenario:posts())
      gate:admin("vault", {reference = reference, value = bank.clientSecret})
      for _ = 1, 3 do assert.equal(200, (gate:get("/1/"))) end
      assert.equal(1, scenario:posts())
      assert.equal("1", gate:admin "banks")
      gate:admin("vault", {reference = reference, value = "canary-secret-next"})
      assert.equal(503, (gate:get("/1/")))
      sandbox.await("the old client stays", function() return gate:admin "banks" == "1" end)
    end)
  end

  it("a reload of the plugins leaves nothing, and asks the bank for nothing", function()
    start{workers = 1}
    put{options()}
    assert.equal(200, (gate:get("/1/")))
    for _ = 1, 3 do
      gate:admin "plugins"
      assert.equal("0", gate:admin "banks")
      assert.equal(200, (gate:get("/1/")))
    end
    assert.equal(1, scenario:posts())
  end)
end)
