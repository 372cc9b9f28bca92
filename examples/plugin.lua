--- A plugin in the manner of the API gateways that are built on nginx: they call its functions in
-- these phases, with a route's configuration. It needs `lua_shared_dict corebank 1m;`, in the
-- location `set $bank_token "";` and `proxy_set_header Authorization $bank_token;`, and nothing in
-- init_worker_by_lua*.

local auth = require "corebank.auth"

local plugin = {name = "corebank-token", priority = 900}

-- One for each configuration, for as long as that lives.
local clients = setmetatable({}, {__mode = "k"})

local function client_of(conf)
  if not clients[conf] then
    clients[conf] = auth.client{
      baseUrl = conf.base_url,
      clientId = conf.client_id,
      clientSecret = conf.client_secret,
      store = auth.store.shdict "corebank",   -- so that all workers together fetch one token
    }
  end
  return clients[conf]
end

function plugin.access(conf)
  local token, message, problem = client_of(conf):token()
  if not token then
    ngx.log(ngx.WARN, "no token for the bank: ", message)
    ngx.header["Retry-After"] = math.ceil(problem.retryAfter or 5)
    return ngx.exit(ngx.HTTP_SERVICE_UNAVAILABLE)
  end
  ngx.var.bank_token = token:header()   -- not in the request's headers: subrequests inherit those
  ngx.ctx.corebank_token = token
end

function plugin.header_filter(conf)
  local token = ngx.ctx.corebank_token
  if token and ngx.status == ngx.HTTP_UNAUTHORIZED then client_of(conf):invalidate(token) end
end

return plugin
