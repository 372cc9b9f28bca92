-- K14: Redis by TLS and with a password, in nginx: through a client of the caller's own, and by a
-- URL where lua-resty-redis knows TLS.

local gateway = require "spec.support.gateway"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"

if not gateway.possible or not redis.possible then return end

-- The store of a URL, by a library that knows TLS. Says what came of two operations, and how many
-- connections they took.
local BY_URL = [[
  package.loaded["resty.redis"] = require "spec.support.redis.tls_client"
  local auth = require "corebank.auth"
  local store = auth.store.redis{url = "rediss://:canary-secret@$host:$port"}
  local done, fault = store:put(("a"):rep(32), "bytes", 60)
  ngx.print(fault or store:get(("a"):rep(32)) or "nothing") ]]

-- Says what is wrong with a URL. `loaded`: the library that is there.
local MISTAKE = [[
  package.loaded["resty.redis"] = $loaded
  local auth = require "corebank.auth"
  local _, mistake = pcall(auth.store.redis, {url = "rediss://:canary-secret@$host:$port"})
  ngx.print((mistake:gsub("^.-: ", "", 1))) ]]

-- lua-resty-redis 0.27 knows no TLS: its socket does.
local PUT_AND_GET = [[
  local auth = require "corebank.auth"
  local store = auth.store.redis{connect = function()
    local client = require "nginx.redis":new()
    client:set_timeout(1000)
    assert(client:connect("127.0.0.1", $port, {pool = "tls"}))
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

  -- What a location with this code says. `names` are texts for the names in it.
  local function said(code, names, certificate)
    local bank, port = sandbox.bank(), redis.free_port()
    local server = redis.start{requirepass = "canary-secret", ["tls-port"] = tostring(port),
      ["tls-cert-file"] = bank.dir .. "/" .. (certificate or "server") .. ".pem",
      ["tls-key-file"] = bank.files.serverKey,
      ["tls-ca-cert-file"] = bank.caFile, ["tls-auth-clients"] = "no"}
    names.port, names.host = tostring(port), names.host or "localhost"
    local gate = gateway.start{setup = {baseUrl = bank.url}, workers = 1,
      http = ("lua_ssl_trusted_certificate %s; lua_ssl_verify_depth 2;"):format(bank.caFile),
      server = ("location /use { content_by_lua_block { %s } }")
        :format((code:gsub("%$(%a+)", names)))}
    local status, _, body = gate:get "/use"
    assert.equal(200, status)
    return body, server
  end

  it("keeps what it is given, through a client of the caller's own", function()
    assert.equal("bytes", (said(PUT_AND_GET, {})))
  end)

  it("is refused with a certificate of another host, through a client of the caller's own",
    function()
      assert.equal("redis: the server's certificate was refused",
        (said(PUT_AND_GET, {}, "wronghost")))
    end)

  it("keeps what it is given, by rediss://, on one connection", function()
    local body, server = said(BY_URL, {})
    assert.equal("bytes", body)
    assert.is_truthy(server:cli "info clients":find "connected_clients:2\r")   -- and redis-cli's
  end)

  it("is refused by rediss:// with a certificate of another host, and no connection stays",
    function()
      local body, server = said(BY_URL, {}, "wronghost")
      assert.equal("redis: the server's certificate was refused", body)
      sandbox.await("a connection stays", function()
        return server:cli "info clients":find "connected_clients:1\r"
      end)
    end)

  it("is refused by rediss:// if nginx does not trust the certificate's CA", function()
    assert.equal("redis: the server's certificate was refused",
      (said(BY_URL, {}, "untrusted")))
  end)

  it("is a mistake with a library that knows no TLS, and with an address", function()
    assert.equal("url: rediss:// needs a client that knows TLS: give it with 'connect'",
      (said(MISTAKE, {loaded = 'require "nginx.redis"'})))
    assert.equal("url: rediss:// needs the name of the host, as in its certificate, not an address",
      (said(MISTAKE, {loaded = 'require "spec.support.redis.tls_client"', host = "127.0.0.1"})))
  end)
end)
