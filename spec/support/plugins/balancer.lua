--- The balancer of both gateways. A request with the argument `retry` meets a node that is down
-- first; APISIX then calls before_proxy again, in this phase.

local balancer = require "ngx.balancer"

local module = {}

function module.run(port)
  local context = ngx.ctx
  context.tries = (context.tries or 0) + 1
  if context.tries > 1 and context.before_proxy_again then context.before_proxy_again() end
  if ngx.var.arg_retry and context.tries == 1 then
    assert(balancer.set_more_tries(1))
    return assert(balancer.set_current_peer("127.0.0.1", 1))
  end
  assert(balancer.set_current_peer("127.0.0.1", port))
end

return module
