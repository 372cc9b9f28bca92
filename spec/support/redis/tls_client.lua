--- Debian's lua-resty-redis with what version 0.28 adds: connections by TLS. For specs in nginx:
--
--   package.preload["resty.redis"] = function() return require "spec.support.redis.tls_client" end
--
-- nginx resolves names by a DNS server only, so "localhost" is replaced by its address.

local redis = require "nginx.redis"

local with_tls = {_VERSION = "0.28"}

function with_tls.new()
  local client = redis:new()
  function client.connect(self, host, port, options)
    if host == "localhost" then host = "127.0.0.1" end
    local done, fault = redis.connect(self, host, port, options)
    if not done or not options.ssl then return done, fault end
    done, fault = rawget(self, "_sock"):sslhandshake(false, options.server_name,
      options.ssl_verify)
    return done, fault and "failed to do ssl handshake: " .. fault
  end
  return client
end

return with_tls
