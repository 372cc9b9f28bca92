-- What both plugins must do, called as Kong and APISIX call them. kong_spec and apisix_spec have
-- what only one of them does.

local auth = require "corebank.auth"
local fields = require "corebank.auth.gateway.fields"
local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local plugins = require "spec.support.plugins"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"
local socket = require "socket"

if not gateway.possible then return end

local bank = sandbox.bank()

-- A service of gRPC, whose status comes in a trailer, and the gateway's location for it.
local GRPC = {
  http = [[
    server {
      listen 127.0.0.1:$second http2;
      location / {
        default_type application/grpc;
        add_trailer grpc-status $arg_trailer;
        content_by_lua_block { ngx.print(ngx.var.http_authorization or "none") }
      }
    }
  ]],
  server = [[
    location /1/grpc/ {
      access_by_lua_block { require("spec.support.plugins.$which").access() }
      header_filter_by_lua_block { require("spec.support.plugins.$which").header_filter() }
      log_by_lua_block { require("spec.support.plugins.$which").log() }
      grpc_pass grpc://127.0.0.1:$second;
    }
  ]],
}

-- Values of other types, by the type of an option.
local STRING_LIKE = {5, true, {"canary-word"}}
local WRONG = {string = STRING_LIKE, secret = STRING_LIKE, number = {"canary-word", true, {5}},
  integer = {"canary-word", 1.5, {5}}, boolean = {"canary-word", 1, {true}},
  headers = {"canary-word", 5, {X = {"canary-word"}}}, statuses = {"canary-word", 401, {"401"}},
  redis = {"canary-word", 5, {url = {"canary-word"}}}}

local GATEWAYS = {
  kong = {answer = {message = "no access token for the upstream service", request_id = "0123"},
    reference = "{vault://env/redis}"},
  apisix = {answer = {message = "no access token for the upstream"}, reference = "$env://REDIS"},
}

for which, each in pairs(GATEWAYS) do
  describe("the plugin for " .. which .. " #nginx", function()
    local gate, scenario

    before_each(function() scenario = bank:scenario{} end)
    after_each(gateway.stop_all)

    local function start(given) gate = plugins.start(which, given) end
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

    it("G10: another header, or the token alone; the client's own Authorization passes", function()
      start()
      put{options{tokenHeader = "X-Token", scheme = ""}}
      assert.equal(200, (gate:get("/1/")))
      assert.equal(1, gate:count "good")
      gate:get("/1/", {Authorization = "Bearer of-the-client"})
      assert.equal(1, gate:count "own")
    end)

    it("refuses a value of another type, names the option, and does not show the value", function()
      start{workers = 1}
      for _, field in ipairs(fields.list) do
        for _, value in ipairs(WRONG[field.type]) do
          local said = gate:put{options{[field.name] = value}}
          assert.is_truthy(said and said:find(field.name, 1, true), field.name)
          assert.is_nil(said:find("canary-", 1, true))
        end
      end
      for _, field in ipairs(fields.redis) do
        for _, value in ipairs(WRONG[field.type]) do
          local said = gate:put{options{redis = {[field.name] = value}}}
          assert.is_truthy(said and said:find("redis", 1, true), field.name)
          assert.is_truthy(said:find(field.name, 1, true), said)
          assert.is_nil(said:find("canary-", 1, true))
        end
      end
    end)

    it("takes empty texts where auth.client does", function()
      start()
      put{options{headers = {["X-Empty"] = ""}, proxy = "", noProxy = ""}}
      assert.equal(200, (gate:get("/1/")))
    end)

    it("G11: without a token answers 503 in its form, and the upstream sees nothing", function()
      start()
      put{options{clientSecret = "canary-secret-wrong"}}
      local status, headers, body = gate:get("/1/", {Authorization = "Bearer of-the-client"})
      assert.equal(503, status)
      assert.equal("5", headers["retry-after"])
      assert.same(each.answer, auth.json.decode(body))
      assert.equal(0, gate:count "good")
      assert.equal(0, gate:count "bad")
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

    it("a configuration that cannot be used is on the page, counted, and logged once", function()
      local path = os.tmpname()
      os.remove(path)
      start{workers = 1}
      put{options{name = "poor", redis = {url = "redis://127.0.0.1:1", passwordFile = path}}}
      local count, ends = 0, socket.gettime() + 3   -- it is read again every 2 seconds
      sandbox.await("time does not pass", function()
        count = count + 1
        assert.equal(503, (gate:get("/1/")))
        return socket.gettime() > ends
      end)
      local _, _, body = gate:get("/status", {Accept = "application/json"})
      local status = auth.json.decode(body).banks[1]
      assert.equal("poor", status.name)
      assert.equal("not set up", status.state)
      assert.is_truthy(status.problem.message:find("redis: ", 1, true), status.problem.message)
      assert.is_truthy(status.problem.whatToDo:find("the configuration of the plugin", 1, true))
      assert.equal(count, gate:metric 'corebank_auth_refused_total{bank="poor"}')
      local _, lines = gate:log():gsub("setup: redis: ", "")
      assert.equal(1, lines)
      files.write(path, "canary-word\n", "600")
      gate:await_status(200, "/1/")
      assert.equal("1", gate:admin "banks")
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

    it("G9: a rejection may be in gRPC's trailer", function()
      start(GRPC)
      put{options()}
      local _, _, body = gate:get "/1/grpc/?trailer=0"
      assert.equal("Bearer canary-token-", body:match "^Bearer canary%-token%-")
      assert.equal(1, scenario:posts())
      gate:get "/1/grpc/?trailer=16"
      sandbox.await("no next token", function() return scenario:posts() == 2 end)
    end)

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

    it("the node that is tried next gets the token, too, and its answer counts", function()
      start()
      put{options()}
      assert.equal(200, (gate:get("/1/?retry=1")))
      assert.equal(0, gate:count "bad")
      assert.equal(1, scenario:posts())
      assert.equal(401, (gate:get("/1/?retry=1&status=401")))
      sandbox.await("no next token", function() return scenario:posts() == 2 end)
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
        options{redis = {url = each.reference}, dict = "corebank"}} do
        start{workers = 1}
        gate:admin("vault", {reference = each.reference, value = server.url})
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
end
