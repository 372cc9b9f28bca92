-- K14: Redis by TLS and with a password, through a client of the caller's own, in nginx.

local gateway = require "spec.support.gateway"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"

if not gateway.possible or not redis.possible then return end

-- lua-resty-redis 0.27 knows no TLS: its socket does.
local PUT_AND_GET = [[
  local auth = require "corebank.auth"
  local store = auth.store.redis{connect = function()
    local client = require "nginx.redis":new()
    client:set_timeout(1000)
    assert(client:connect("127.0.0.1", %d, {pool = "tls"}))
    if client:get_reused_times() == 0 then
      assert(rawget(client, "_sock"):sslhandshake(nil, "localhost", true))
      assert(client:auth "canary-secret")
    end
    return client, function(it, isHealthy)
      if isHealthy then it:set_keepalive(10000, 10) else it:close() end
    end
  end}
  local done, fault = store:put(("a"):rep(32), "bytes", 60)
  ngx.print(fault or store:get(("a"):rep(32)) or "nothing") ]]

describe("Redis by TLS in nginx #nginx", function()
  after_each(function()
    gateway.stop_all()
    redis.stop_all()
  end)

  local function said_with(certificate)
    local bank, port = sandbox.bank(), redis.free_port()
    redis.start{requirepass = "canary-secret", ["tls-port"] = tostring(port),
      ["tls-cert-file"] = bank.dir .. "/" .. certificate .. ".pem",
      ["tls-key-file"] = bank.files.serverKey,
      ["tls-ca-cert-file"] = bank.caFile, ["tls-auth-clients"] = "no"}
    local gate = gateway.start{setup = {baseUrl = bank.url}, workers = 1,
      http = ("lua_ssl_trusted_certificate %s; lua_ssl_verify_depth 2;"):format(bank.caFile),
      server = ("location /use { content_by_lua_block { %s } }"):format(PUT_AND_GET:format(port))}
    local status, _, body = gate:get "/use"
    assert.equal(200, status)
    return body
  end

  it("keeps what it is given", function()
    assert.equal("bytes", said_with "server")
  end)

  it("is refused with a certificate of another host", function()
    -- lua-resty-core 0.1.25 raises "assertion failed!" instead if the handshake ends at once:
    -- github.com/openresty/lua-nginx-module/pull/2506.
    local REFUSALS = {["redis: the server's certificate was refused"] = true,
      ["redis: the function 'connect' failed"] = true}
    local said = said_with "wronghost"
    assert.is_true(REFUSALS[said], said)
  end)
end)
