-- The gateway on a real nginx: what reaches the API, and what a client gets when there is no token.

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"
local socket = require "socket"

if not gateway.possible then return end

local bank = sandbox.bank()

describe("the gateway #nginx", function()
  local gate, scenario

  local function start(steps, given)
    gate, scenario = gateway.at_bank(steps, given)
    return gate
  end

  after_each(gateway.stop_all)

  local function lines(text, pattern)
    return select(2, text:gsub(pattern, ""))
  end

  it("puts the token into what it proxies, in place of a client's own", function()
    start{}
    assert.equal(200, (gate:get("/api/")))
    assert.equal(200, (gate:get("/api/", {Authorization = "Bearer of-the-client"})))
    assert.equal(2, gate:count "good")
    assert.equal(0, gate:count "bad")
    assert.equal("", gate:log())
  end)

  it("lets none of a client's own pass, however it is written", function()
    start{}
    -- Two of them nginx refuses by itself.
    for _, header in ipairs{"authorization: Basic b25lOnR3bw==", "AUTHORIZATION: Bearer one",
      "Authorization:", "Authorization: Bearer " .. ("x"):rep(2000)} do
      local raw = assert(socket.connect("127.0.0.1", gate.port))
      raw:settimeout(5)
      raw:send("GET /api/ HTTP/1.1\r\nHost: gateway\r\n" .. header .. "\r\n\r\n")
      assert.equal("HTTP/1.1 200 OK", (raw:receive "*l"))
      raw:close()
    end
    assert.equal(4, gate:count "good")
    assert.equal(0, gate:count "bad")
  end)

  it("answers 503 when something raises, and lets nothing pass if that is overruled", function()
    start({}, {server = [[location /caught/ {
        set $bank_token "";
        rewrite_by_lua_block {
          local exit = ngx.exit
          if ngx.var.arg_overrule then ngx.exit = ngx.now end
          pcall(require("corebank.auth.nginx").inject, nil, {variable = "request_uri"})
          ngx.exit = exit
        }
        proxy_set_header Authorization $bank_token;
        proxy_pass http://api;
      }]]})
    local own = {Authorization = "Bearer of-the-client"}
    assert.equal(503, (gate:get("/caught/", own)))
    assert.equal(0, gate:count "bad")
    gate:get("/caught/?overrule=1", own)
    assert.equal(1, gate:count "bare")
    assert.is_truthy(gate:log():find "bank 'default': .*request_uri.* not changeable", gate:log())
  end)

  it("has a token before the first request comes", function()
    start{}
    gate:await_ready()
    gate:get("/api/")
    assert.equal(1, scenario:posts())
  end)

  it("cold, 1,000 requests at once: 1 POST, 1,000 successes", function()
    start{{delay = 0.5}}
    assert.same({[200] = 1000}, gate:at_once(1000, "/api/"))
    assert.equal(1, scenario:posts())
    assert.equal(1000, gate:count "good")
    assert.equal(1, gate:count "tokens")
  end)

  it("cold, the bank is down: 503 with Retry-After for all, and POSTs as the back-off allows",
    function()
      start({{status = 503, headers = {["Retry-After"] = "30"}}}, {setup = {attempts = 2}})
      assert.same({[503] = 200}, gate:at_once(200, "/api/"))
      local status, headers = gate:get("/api/", {Authorization = "Bearer of-the-client"})
      assert.equal(503, status)
      local seconds = tonumber(headers["retry-after"])
      assert.is_true(seconds > 25 and seconds <= 30, seconds)
      assert.equal(0, gate:count "bad")
      assert.equal(1, scenario:posts())
      assert.equal(503, (gate:get("/ready")))
      -- Each worker says so once.
      local told = lines(gate:log(), "no token from the bank %(server%): .*status 503")
      assert.is_true(told >= 1 and told <= 2, gate:log())
      assert.equal(201, gate:metric 'corebank_auth_refused_total{bank="default"}')
    end)

  it("says once that the bank is down, however often it is asked", function()
    start({{status = 500}}, {workers = 1, setup = {attempts = 1}})
    sandbox.await("the bank is not asked", function()
      gate:get("/api/")
      return scenario:posts() >= 3
    end)
    assert.equal(1, lines(gate:log(), "no token from the bank %(server%): "))
    assert.equal(1, lines(gate:log(), "\n"))
  end)

  it("without requests asks a bank that is down less and less often #slow", function()
    -- With the longest pause that may be drawn: after 0, 1, 3 and 7 s, for both workers together.
    start({{status = 500}}, {setup = {attempts = 1}, init_worker = [[
      require("corebank.auth.host.system").random = function() return 1 end
      $setup]]})
    socket.sleep(6)
    assert.equal(3, scenario:posts())
    assert.equal(503, (gate:get("/api/")))   -- whoever needs a token asks at once
    assert.equal(4, scenario:posts())
  end)

  it("fetches at once when a token is rejected, also after a refresh has failed", function()
    start({{validity = 20, expiration = false}, {status = 503}, {status = 503}, {status = 503}, {}},
      {workers = 1, setup = {attempts = 1, refreshAhead = 10}, init_worker = [[
        require("corebank.auth.host.system").random = function() return 1 end
        $setup]]})
    sandbox.await("no refresh", function() return scenario:posts() == 4 end, 30)
    socket.sleep(0.2)
    gate:switch("reject", true)
    assert.equal(401, (gate:get("/api/")))
    local began = socket.gettime()
    sandbox.await("no token", function() return scenario:posts() == 5 end)
    assert.is_true(socket.gettime() - began < 2)
    assert.equal(0, gate:metric 'corebank_auth_waits_total{bank="default"}')
  end)

  it("says when the bank is back, once", function()
    start({{status = 500}, {}}, {workers = 1, setup = {attempts = 1}})
    gate:await_ready()
    assert.equal(1, lines(gate:log(), "no token from the bank %(server%): "))
    assert.equal(1, lines(gate:log(), "there are tokens again"))
  end)

  it("says so, too, when it is another one that has fetched a token", function()
    start({{status = 500}, {}}, {workers = 1, setup = {attempts = 1},
      server = [[location /another { content_by_lua_block {
        local auth = require "corebank.auth"
        local options = $options
        options.store = auth.store.shdict "corebank"
        local another = auth.client(options)
        another:forget()   -- the failure
        ngx.print(another:token() and "has one")
      } }]]})
    sandbox.await("the bank is not asked", function()
      return gate:log():find("no token from the bank", 1, true)
    end)
    assert.equal("has one", select(3, gate:get("/another")))
    sandbox.await("it is not told", function() return gate:log():find("there are tokens again") end)
    assert.equal(2, scenario:posts())
  end)

  it("says of few names that there is no such bank, and forges no line of the log", function()
    start({}, {workers = 1, server = [[location /of { content_by_lua_block {
      require("corebank.auth.nginx").ready(ngx.unescape_uri(ngx.var.arg_name))
    } }]]})
    assert.equal(503, (gate:get("/of?name=x%0Aforged")))
    for i = 1, 50 do gate:get("/of?name=" .. i) end
    assert.equal(20, lines(gate:log(), "no bank '"))
    assert.is_nil(gate:log():find("\nforged", 1, true))
  end)

  it("setup takes no handler that is none", function()
    start({}, {workers = 1, setup = {onEvent = "x"}})
    sandbox.await("it is not told", function()
      return gate:log():find("setup: onEvent must be a function, not string", 1, true)
    end)
  end)

  it("a client that hangs up does not take the others' token away", function()
    start({{delay = 0.6}}, {workers = 1, no_setup = true, init_worker = "",
      http = "lua_socket_log_errors off;", server = "lua_check_client_abort on;",
      before_inject = "$setup"})
    local first = assert(socket.connect("127.0.0.1", gate.port))
    first:send("GET /api/ HTTP/1.1\r\nHost: gateway\r\n\r\n")
    socket.sleep(0.2)
    first:close()
    assert.same({[200] = 20}, gate:at_once(20, "/api/"))
    assert.equal(1, scenario:posts())
  end)

  it("an upstream that answers 401 to everything: at most 1 refresh in 5 s", function()
    start{}
    assert.same({[200] = 100}, gate:at_once(100, "/api/"))   -- both workers have it
    gate:switch("reject", true)
    assert.same({[401] = 1000}, gate:at_once(1000, "/api/"))
    sandbox.await("no refresh", function() return scenario:posts() == 2 end)
    assert.same({[401] = 500}, gate:at_once(500, "/api/"))
    assert.equal(2, scenario:posts())
    gate:switch("reject", false)
    assert.equal(200, (gate:get("/api/")))
    assert.equal(0, gate:count "bad")
  end)

  it("a 401 that is not the upstream's changes nothing", function()
    start({}, {server = [[location = /own/ {
        set $bank_token "";
        access_by_lua_block { require("corebank.auth.nginx").inject() }
        header_filter_by_lua_block { require("corebank.auth.nginx").observe() }
        content_by_lua_block { ngx.exit(401) }
      }]]})
    for _ = 1, 10 do assert.equal(401, (gate:get("/own/"))) end
    assert.equal(1, scenario:posts())
    assert.equal(0, gate:metric 'corebank_auth_invalidated_total{bank="default"}')
  end)

  it("refuses, and says why, where nothing was set up", function()
    start({}, {no_setup = true})
    for _ = 1, 5 do
      local status, headers = gate:get("/api/", {Authorization = "Bearer of-the-client"})
      assert.equal(503, status)
      assert.equal("5", headers["retry-after"])
    end
    assert.equal(0, gate:count "bad")
    local told = lines(gate:log(), "no bank 'default' was set up in this worker")
    assert.is_true(told >= 1 and told <= 2)
  end)

  it("knows several banks, each by its name", function()
    local other = bank:scenario{}
    start({}, {init_worker = ([[
        require("corebank.auth.nginx").setup(%s)
        $setup]]):format(sandbox.literal(gateway.options{name = "other",
          variable = "other_token", baseUrl = other.baseUrl})), server = [[
      location /other/ {
        set $other_token "";
        access_by_lua_block { require("corebank.auth.nginx").inject("other") }
        proxy_set_header Authorization $other_token;
        header_filter_by_lua_block { require("corebank.auth.nginx").observe() }
        proxy_pass http://api;
      }
      location /minded/ {
        set $other_token "";
        access_by_lua_block { require("corebank.auth.nginx").inject("other") }
        proxy_set_header Authorization $other_token;
        header_filter_by_lua_block { require("corebank.auth.nginx").observe("default") }
        proxy_pass http://api;
      }
      location = /other/ready { content_by_lua_block {
        require("corebank.auth.nginx").ready("other") } }
      location = /other/metrics { content_by_lua_block {
        require("corebank.auth.nginx").metrics("other") } }
      ]]})
    assert.equal(200, (gate:get("/api/")))
    assert.equal(200, (gate:get("/other/")))
    assert.equal(2, gate:count "tokens")
    gate:switch("reject", true)
    assert.equal(401, (gate:get("/minded/")))
    assert.equal(0, gate:metric 'corebank_auth_invalidated_total{bank="other"}')
    assert.equal(401, (gate:get("/other/")))
    sandbox.await("no refresh", function() return other:posts() == 2 end)
    assert.equal(1, scenario:posts())
    assert.equal(1, gate:metric 'corebank_auth_invalidated_total{bank="other"}')
    assert.equal(0, gate:metric 'corebank_auth_invalidated_total{bank="default"}')
    sandbox.await("no token", function() return (gate:get("/other/ready")) == 200 end)
    local _, _, page = gate:get("/other/metrics")
    assert.is_nil(page:find('bank="default"', 1, true))
  end)

  it("writes metrics as Prometheus reads them, the same from each worker", function()
    start{}
    for _ = 1, 10 do assert.equal(200, (gate:get("/api/"))) end
    local _, headers, page = gate:get("/metrics")
    assert.equal("text/plain; version=0.0.4", headers["content-type"])
    assert.is_truthy(page:find "\n$")
    local families, last = {}, nil
    for line in page:gmatch "([^\n]+)\n" do
      local kind = line:match "^# TYPE ([%w_]+) %l+$"
      if kind then
        assert.is_nil(families[kind], line)
        families[kind], last = true, kind
      elseif not line:find "^# HELP [%w_]+ %u.*%.$" then
        local name, value = line:match '^([%w_]+){bank="default",?[^}]*} (%S+)$'
        assert.is_truthy(name and name:find(last, 1, true) == 1 and tonumber(value), line)
      end
    end
    sandbox.await("not all are counted", function()
      return gate:metric 'corebank_auth_injected_total{bank="default"}' == 10
    end)
    assert.equal(1, gate:metric
      'corebank_auth_fetches_total{bank="default",outcome="fetched"}')
    assert.equal(1, gate:metric 'corebank_auth_fetch_duration_seconds_count{bank="default"}')
    assert.equal(1, gate:metric
      'corebank_auth_fetch_duration_seconds_bucket{bank="default",le="+Inf"}')
    assert.is_true(gate:metric 'corebank_auth_token_remaining_seconds{bank="default"}' > 3000)
  end)

  it("counts what an exiting worker has given out", function()
    start{}
    for _ = 1, 10 do assert.equal(200, (gate:get("/api/"))) end
    gate:reload()
    sandbox.await("the old workers do not exit", function() return #gate:workers() == 2 end)
    assert.equal(10, gate:metric 'corebank_auth_injected_total{bank="default"}')
  end)

  it("counts a request that ends when its worker is exiting", function()
    start{}
    local slow = assert(socket.connect("127.0.0.1", gate.port))
    slow:send "GET /api/ HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n"
    socket.sleep(0.1)   -- a worker has it
    gate:reload()
    socket.sleep(0.1)   -- and was told to exit
    slow:send "\r\n"
    assert.equal("HTTP/1.1 200 OK", (slow:receive "*l"))
    slow:close()
    sandbox.await("the old workers do not exit", function() return #gate:workers() == 2 end)
    assert.equal(1, gate:metric 'corebank_auth_injected_total{bank="default"}')
  end)

  it("takes credentials from the environment that nginx.conf lets through, and no other",
    function()
      local from_environment = ("require('corebank.auth.nginx').setup{baseUrl = %q, caFile = %q}")
      scenario = bank:scenario{}
      local given = {init_worker = from_environment:format(scenario.baseUrl, bank.caFile),
        main = ("env COREBANK_CLIENT_ID=%s; env COREBANK_CLIENT_SECRET=%s;"):format(
          bank.clientId, bank.clientSecret)}
      gate = gateway.start(given)
      assert.equal(200, (gate:get("/api/")))
      gate:stop()
      given.main = ""
      gate = gateway.start(given)
      assert.equal(503, (gate:get("/api/")))
      assert.is_truthy(gate:log():find "setup: clientId is missing", gate:log())
    end)

  it("tells a handler of events, which may log", function()
    start({{status = 500}, {}}, {workers = 1, setup = {attempts = 1}, init_worker = [[
        local options = $options
        options.onEvent = function(event)
          ngx.log(ngx.WARN, "heard: ", event.name, " in ", ngx.get_phase())
        end
        require("corebank.auth.nginx").setup(options)]]})
    gate:await_ready()
    assert.is_truthy(gate:log():find "heard: failed in timer")
    assert.is_truthy(gate:log():find "heard: fetched in timer")
  end)
end)
