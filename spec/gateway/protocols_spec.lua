-- The token by other protocols than plain HTTP/1.1, from clients and to upstreams.

local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"
local socket = require "socket"

if not gateway.possible then return end

local bank = sandbox.bank()

local LINES = [[
  set $bank_token "";
  PHASE_by_lua_block { require("corebank.auth.nginx").inject() }
  header_filter_by_lua_block { require("corebank.auth.nginx").observe() }
  log_by_lua_block { require("corebank.auth.nginx").observe() }
]]

local SERVER = [[
  location /PHASE/grpc/ { LINES grpc_set_header Authorization $bank_token;
    grpc_pass grpc://127.0.0.1:$spare; }
  location /PHASE/socket/ { LINES proxy_set_header Authorization $bank_token;
    proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade; proxy_pass http://api/socket; }
  location /PHASE/fastcgi/ { LINES fastcgi_param HTTP_AUTHORIZATION $bank_token;
    fastcgi_pass 127.0.0.1:OTHER; }
  location /PHASE/scgi/ { LINES scgi_param HTTP_AUTHORIZATION $bank_token;
    scgi_pass 127.0.0.1:OTHER; }
  location /PHASE/uwsgi/ { LINES uwsgi_param HTTP_AUTHORIZATION $bank_token;
    uwsgi_pass 127.0.0.1:OTHER; }
  location /PHASE/cached/ { LINES proxy_set_header Authorization $bank_token;
    proxy_cache pages; proxy_cache_valid 200 1s; proxy_cache_key $uri;
    proxy_cache_use_stale updating; proxy_cache_background_update on; proxy_pass http://api/; }
  location /PHASE/sliced/ { LINES proxy_set_header Authorization $bank_token;
    slice 1k; proxy_set_header Range $slice_range; proxy_pass http://api/; }
]]

local HTTP = [[
  proxy_cache_path cache keys_zone=pages:1m;
  server {
    listen 127.0.0.1:$spare http2;
    location / {
      default_type application/grpc;
      add_trailer grpc-status $arg_trailer;
      content_by_lua_block {
        ngx.print(ngx.var.http_authorization or "none")
      }
    }
  }
]]

describe("the token #nginx", function()
  local gate, scenario, other

  setup(function()
    other = assert(socket.bind("127.0.0.1", 0))
    other:settimeout(5)
    local _, port = other:getsockname()
    scenario = bank:scenario{}
    local server = SERVER:gsub("LINES", LINES):gsub("OTHER", port)
    gate = gateway.start{setup = {baseUrl = scenario.baseUrl}, http = HTTP, workers = 1,
      server = "listen 127.0.0.1:$second http2;" .. server:gsub("PHASE", "rewrite")
        .. server:gsub("PHASE", "access")}
    gate:await_ready()
  end)

  teardown(function()
    gate:stop()
    other:close()
  end)

  local function check_token(text, what)
    assert.is_truthy(text:find "Bearer canary%-token%-", what .. ": " .. text)
    assert.is_nil(text:find("of-the-client", 1, true), what)
  end

  -- By HTTP/2 without TLS.
  local function curl(path)
    local pipe = assert(io.popen(("curl -s -N --http2-prior-knowledge -m 5 -i -H %s %s"):format(
      files.quoted "Authorization: Bearer of-the-client",
      files.quoted("http://127.0.0.1:" .. gate.secondPort .. path))))
    local text = pipe:read "*a"
    pipe:close()
    return text
  end

  for _, phase in ipairs{"rewrite", "access"} do
    it("goes to gRPC, from a client of HTTP/2, " .. phase, function()
      local text = curl("/" .. phase .. "/grpc/")
      assert.is_truthy(text:find "^HTTP/2 200", text .. gate:log())
      check_token(text, "gRPC")
    end)

    it("goes with an upgrade to a websocket, " .. phase, function()
      local raw = assert(socket.connect("127.0.0.1", gate.port))
      raw:settimeout(5)
      raw:send(("GET /%s/socket/ HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\n"
        .. "Connection: Upgrade\r\nAuthorization: Bearer of-the-client\r\n\r\n"):format(phase))
      assert.equal("HTTP/1.1 101 Switching Protocols", (raw:receive "*l"))
      repeat local line = raw:receive "*l" until line == "" or not line
      check_token(raw:receive "*l", "websocket")
      raw:close()
    end)

    for _, way in ipairs{"fastcgi", "scgi", "uwsgi"} do
      it(("goes by %s, %s"):format(way, phase), function()
        local raw = assert(socket.connect("127.0.0.1", gate.port))
        raw:send(("GET /%s/%s/ HTTP/1.0\r\nAuthorization: Bearer of-the-client\r\n\r\n")
          :format(phase, way))
        local taken = assert(other:accept())
        taken:settimeout(0.2)
        local whole, _, part = taken:receive(4096)
        check_token(whole or part, way)
        taken:close()
        raw:close()
      end)
    end

    it("goes with a cache's update in the background, " .. phase, function()
      local path, good = "/" .. phase .. "/cached/", gate:count "good"
      assert.equal(200, (gate:get(path, {Authorization = "Bearer of-the-client"})))
      sandbox.await("the page is not updated", function()
        assert.equal(200, (gate:get(path, {Authorization = "Bearer of-the-client"})))
        return gate:count "good" >= good + 2
      end)
      assert.equal(0, gate:count "bad")
    end)

    it("goes with a slice's requests, " .. phase, function()
      assert.equal(200, (gate:get("/" .. phase .. "/sliced/")))
      assert.equal(0, gate:count "bad")
    end)
  end

  it("G9: is rejected by gRPC's trailer", function()
    assert.equal(1, scenario:posts())
    curl "/rewrite/grpc/?trailer=0"
    assert.equal(1, scenario:posts())
    curl "/rewrite/grpc/?trailer=16"
    sandbox.await("no new token", function() return scenario:posts() == 2 end)
  end)
end)
