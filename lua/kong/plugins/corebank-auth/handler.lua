--- The plugin for Kong: every request to the service carries a valid token, or is refused.
--
-- corebank/auth/gateway/plugin.lua does the work. docs/kong.md has a whole configuration.

local core = require "corebank.auth.core"
local plugin = require "corebank.auth.gateway.plugin"

local kong = kong
local ngx = ngx

local NO_TOKEN = "no access token for the upstream service"

local handler = {
  VERSION = core.VERSION,
  PRIORITY = 805,   -- after authentication and rate limits, before request-transformer (801)
}

--- Kong calls it in each worker, and after each change, with all configurations. A privileged agent
-- serves no requests, and has no id.
---@param configurations table[]?
function handler.configure(_, configurations)
  local isServing = ngx.config.subsystem == "http" and ngx.worker.id()
  if isServing then plugin.hold(configurations or {}, kong.vault.update) end
end

function handler.access(_, conf)
  local given, seconds = plugin.token(conf)
  if not given then
    return kong.response.error(503, NO_TOKEN, {["Retry-After"] = tostring(seconds)})
  end
  kong.ctx.plugin.given = given
  kong.service.request.set_header(given.header, given.value)
end

-- Plugins that log a request's headers run later, and do not see the token.
local function take_off(given)
  if given and not given.isOff then
    given.isOff = true
    ngx.req.clear_header(given.header)
  end
end

function handler.header_filter()
  local given = kong.ctx.plugin.given
  take_off(given)
  plugin.observe(given, kong.service.response.get_status(),
    kong.service.response.get_header "grpc-status")
end

function handler.log()
  local given = kong.ctx.plugin.given
  take_off(given)
  plugin.observe(given, kong.service.response.get_status(), ngx.var.upstream_trailer_grpc_status)
end

return handler
