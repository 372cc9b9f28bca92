-- How a token travels and what a client gets without one: G7, G10, G11.

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"
local socket = require "socket"

if not gateway.possible then return end

local OWN = {Authorization = "Bearer of-the-client"}

describe("a token's form #nginx", function()
  local gate, scenario

  local function start(steps, given)
    gate, scenario = gateway.at_bank(steps, given)
  end

  local function ready()
    gate:await_ready()
  end

  after_each(gateway.stop_all)

  it("G10: another header, raw, and the client's own Authorization passes", function()
    start({}, {setup = {scheme = ""}, server = [[
      location /raw/ {
        set $bank_token "";
        rewrite_by_lua_block { require("corebank.auth.nginx").inject() }
        header_filter_by_lua_block { require("corebank.auth.nginx").observe() }
        proxy_set_header X-Token $bank_token;
        proxy_pass http://shown/;
      }
      location /named/ {
        set $another "";
        rewrite_by_lua_block { require("corebank.auth.nginx").inject(nil,
          {variable = "another", scheme = "Token"}) }
        header_filter_by_lua_block { require("corebank.auth.nginx").observe() }
        proxy_set_header Authorization $another;
        proxy_pass http://shown/;
      }]], http = [[
      upstream shown { server 127.0.0.1:$spare; }
      server {
        listen 127.0.0.1:$spare;
        location / { content_by_lua_block {
          ngx.status = tonumber(ngx.var.arg_status) or 200
          ngx.print(ngx.var.http_authorization or "-", "|", ngx.var.http_x_token or "-")
        } }
      }]]})
    ready()
    local _, _, body = gate:get("/raw/", OWN)
    assert.is_truthy(body:find "^Bearer of%-the%-client|canary%-token%-[%w-]+$", body)
    _, _, body = gate:get("/named/", OWN)
    assert.is_truthy(body:find "^Token canary%-token%-[%w-]+|%-$", body)
    -- And its rejection is known by it.
    assert.equal(401, (gate:get("/raw/?status=401")))
    sandbox.await("no new token", function() return scenario:posts() == 2 end)
    sandbox.await("no token to reject", function()
      assert.equal(401, (gate:get("/named/?status=401")))
      return scenario:posts() == 3
    end, 15)
  end)

  it("G10: a mistake in these is told, not for each request, and refuses", function()
    start({}, {workers = 1, server = [[
      location /wrong/ {
        set $bank_token "";
        rewrite_by_lua_block { require("corebank.auth.nginx").inject(nil, {scheme = "a b"}) }
        proxy_set_header Authorization $bank_token;
        proxy_pass http://api;
      }]]})
    for _ = 1, 5 do assert.equal(503, (gate:get("/wrong/", OWN))) end
    assert.equal(0, gate:count "bad")
    local _, told = gate:log():gsub("bank 'default': inject%(%) ended with an error: scheme must "
      .. 'be a word such as "Bearer"', "")
    assert.equal(1, told, gate:log())
  end)

  it("G7: with the body read before, a token that ends meanwhile is not sent", function()
    start({{validity = 2}}, {lifetime = 2, setup = {refreshAhead = 0.5, leeway = 0.2},
      before_inject = "ngx.req.read_body()"})
    ready()
    assert.equal(200, (gate:get("/api/")))   -- the API counts from here
    local slow = assert(socket.connect("127.0.0.1", gate.port))
    slow:settimeout(10)
    slow:send "POST /api/ HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n"
    slow:send "Content-Length: 30\r\n\r\n"
    for _ = 1, 30 do
      socket.sleep(0.1)
      slow:send "x"
    end
    assert.equal("HTTP/1.1 200 OK", (slow:receive "*l"))
    slow:close()
    assert.equal(0, gate:count "late")
  end)

  it("G11: without one error_page answers, and Retry-After stays", function()
    start({{status = 503, headers = {["Retry-After"] = "30"}}}, {setup = {attempts = 1},
      api_location = "error_page 503 /down;", server = [[
        location = /down { internal; default_type application/json; return 503 '{"mine":true}'; }
      ]]})
    sandbox.await("the bank is not asked", function() return scenario:posts() >= 1 end)
    local status, headers, body = gate:get("/api/", OWN)
    assert.equal(503, status)
    assert.equal('{"mine":true}', body)
    assert.equal("application/json", headers["content-type"])
    assert.is_true(tonumber(headers["retry-after"]) > 20)
    assert.equal(0, gate:count "bad")
  end)

  it("G11: error_page may lead to a cached page; a preflight needs no token", function()
    start({{validity = 1, expiration = false}, {status = 500}}, {workers = 1,
      setup = {attempts = 1, refreshAhead = 0.1, leeway = 0.1},
      http = "proxy_cache_path cache keys_zone=pages:1m;", server = [[
        location /pages/ {
          if ($request_method = OPTIONS) { return 204; }
          error_page 503 = @cached;
          set $bank_token "";
          rewrite_by_lua_block { require("corebank.auth.nginx").inject() }
          proxy_set_header Authorization $bank_token;
          proxy_cache pages;
          proxy_cache_key $request_uri;
          proxy_cache_valid 200 1s;
          proxy_pass http://api;
        }
        location @cached {
          proxy_cache pages;
          proxy_cache_key $request_uri;
          proxy_cache_use_stale error;
          proxy_set_header Authorization "";
          proxy_pass http://127.0.0.1:1;
        }]]})
    ready()
    assert.equal(200, (gate:get("/pages/")))
    sandbox.await("the token does not end", function()
      return (gate:get("/ready")) == 503 and (gate:get("/pages/another")) == 502
    end)
    local status, _, body = gate:get("/pages/", OWN)
    assert.equal(200, status)
    assert.equal("ok", body)
    assert.equal(0, gate:count "bad")
    local raw = assert(socket.connect("127.0.0.1", gate.port))
    raw:send "OPTIONS /pages/ HTTP/1.0\r\n\r\n"
    assert.equal("HTTP/1.1 204 No Content", (raw:receive "*l"))
    raw:close()
  end)

  it("inject() raises where it is too late, and where nothing can be refused", function()
    local server = {}
    for _, phase in ipairs{"header_filter", "body_filter", "log"} do
      server[#server + 1] = ([[location /%s/ {
        set $bank_token "";
        %s_by_lua_block { require("corebank.auth.nginx").inject() }
        proxy_set_header Authorization $bank_token;
        proxy_pass http://api;
      }]]):format(phase, phase)
    end
    start({}, {workers = 1, server = table.concat(server, "\n") .. [[
      location /set/ {
        set $bank_token "";
        set_by_lua_block $ignored { require("corebank.auth.nginx").inject() }
        proxy_set_header Authorization $bank_token;
        proxy_pass http://api;
      }]]})
    ready()
    for _, phase in ipairs{"header_filter", "body_filter", "log", "set"} do
      local raw = assert(socket.connect("127.0.0.1", gate.port))
      raw:send("GET /" .. phase .. "/ HTTP/1.0\r\n\r\n")
      raw:receive "*a"
      raw:close()
      sandbox.await("it is not told", function()
        return gate:log():find("inject: not in " .. phase .. "_by_lua*: use rewrite", 1, true)
      end)
    end
    assert.equal(0, gate:count "good")
  end)
end)
