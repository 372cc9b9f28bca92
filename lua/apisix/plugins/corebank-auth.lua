--- The plugin for APISIX: every request to the upstream carries a valid token, or is refused.
--
-- corebank/auth/gateway/plugin.lua does the work. docs/apisix.md has a whole configuration.

local apisix = require "apisix.core"
local configuration = require "corebank.auth.gateway.configuration"
local fields = require "corebank.auth.gateway.fields"
local log = require "corebank.auth.gateway.log"
local plugin = require "corebank.auth.gateway.plugin"
local secrets = require "apisix.secret"

local ngx = ngx

local NO_TOKEN = "no access token for the upstream"

-- ---- the configuration -------------------------------------------------------------------------

-- The JSON schema of each type in gateway/fields.lua.
local make = {
  string = function() return {type = "string"} end,
  secret = function() return {type = "string"} end,
  number = function() return {type = "number"} end,
  integer = function() return {type = "integer"} end,
  boolean = function() return {type = "boolean"} end,
  headers = function() return {type = "object", additionalProperties = {type = "string"}} end,
  statuses = function() return {type = "array", items = {type = "integer"}} end,
}

function make.redis()
  local made = {type = "object", properties = {}}
  for _, field in ipairs(fields.redis) do made.properties[field.name] = make[field.type]() end
  return made
end

local schema = {type = "object", properties = {}, required = {}, encrypt_fields = {}}

for _, field in ipairs(fields.list) do
  local made = make[field.type]()
  made.default = field.default
  schema.properties[field.name] = made
  if field.required then table.insert(schema.required, field.name) end
  if field.type == "secret" then table.insert(schema.encrypt_fields, field.name) end
end
for _, field in ipairs(fields.redis) do
  if field.type == "secret" then table.insert(schema.encrypt_fields, "redis." .. field.name) end
end

local metadata_schema = {type = "object", properties = {}}

local corebank = {
  version = 0.1,
  -- The token is put in last, in before_proxy. The log phase comes before that of plugins that log
  -- a request's headers (500 and below).
  priority = 1009,
  name = "corebank-auth",
  schema = schema,
  metadata_schema = metadata_schema,
}

-- The text that stands for an encrypted value in a check.
local ENCRYPTED = "$secret://encrypted"
local AES_BLOCK = 16   -- bytes

local function is_encrypted(value)
  local bytes = type(value) == "string" and ngx.decode_base64(value)
  return bytes and #bytes > 0 and #bytes % AES_BLOCK == 0
end

-- With etcd, APISIX encrypts the fields in encrypt_fields. Many versions check a configuration
-- before they decrypt it. An encrypted value is checked when a request uses it.
local function without_encrypted(values)
  if apisix.config.type ~= "etcd" then return values end
  for _, path in ipairs(schema.encrypt_fields) do
    local record, name = values, path
    if path:find("redis.", 1, true) then record, name = values.redis, path:sub(#"redis." + 1) end
    if type(record) == "table" and is_encrypted(record[name]) then record[name] = ENCRYPTED end
  end
  return values
end

--- APISIX calls it before it uses a configuration. Fills in defaults.
---@return boolean
---@return string? mistake
function corebank.check_schema(conf, schema_type)
  if schema_type == apisix.schema.TYPE_METADATA then
    return apisix.schema.check(metadata_schema, conf)
  end
  local unknown = type(conf) == "table" and configuration.unknown(conf)
  if unknown then return false, unknown end
  local ok, mistake = apisix.schema.check(schema, conf)
  if not ok then return false, mistake end
  mistake = configuration.mistake(without_encrypted(configuration.values(conf)))
  if mistake then return false, mistake end
  return true
end

-- ---- phases ------------------------------------------------------------------------------------

-- proxy-mirror copies the request with all its headers.
local function is_mirrored(ctx)
  local uri = ctx.var.upstream_mirror_uri
  return uri ~= nil and uri ~= ""
end

-- The configuration with the values of its references; nil: they could not be had.
local function resolve(conf)
  if not configuration.unresolved(conf) then return conf end
  return secrets.fetch_secrets(configuration.values(conf), true, conf, "")
end

local function refuse(seconds)
  apisix.response.set_header("Retry-After", seconds)
  return 503, {message = NO_TOKEN}
end

--- The last phase before the upstream is asked. APISIX calls it again when it tries another node:
-- then nothing can wait, and the request has its header.
function corebank.before_proxy(conf, ctx)
  if ngx.get_phase() == "balancer" then return end
  if is_mirrored(ctx) then
    log.mirrored()
    return refuse(1)
  end
  local given, seconds = plugin.token(conf, resolve(conf))
  if not given then return refuse(seconds) end
  ctx.corebank_auth = ctx.corebank_auth or {}
  ctx.corebank_auth[given.header:lower()] = given
  apisix.request.set_header(ctx, given.header, given.value)
end

-- Plugins that log a request's headers run later, and do not see the token.
local function take_off(given, ctx)
  if given.isOff then return end
  given.isOff = true
  apisix.request.set_header(ctx, given.header, nil)
end

local function upstream_status()
  return tonumber(tostring(ngx.var.upstream_status or ""):sub(-3))
end

-- A global rule and a route may each have set a header.
local function finish(ctx, grpc_status)
  for _, given in pairs(ctx.corebank_auth or {}) do
    take_off(given, ctx)
    plugin.observe(given, upstream_status(), grpc_status)
  end
end

function corebank.header_filter(_, ctx)
  finish(ctx, ngx.var.upstream_http_grpc_status)
end

function corebank.log(_, ctx)
  finish(ctx, ngx.var.upstream_trailer_grpc_status)
end

-- ---- the worker --------------------------------------------------------------------------------

--- APISIX calls it in each worker, and in the privileged agent, which serves no requests.
function corebank.init()
  if ngx.worker.id() then plugin.start() end
end

--- APISIX calls it when the worker exits, and before it loads its plugins anew.
function corebank.destroy()
  plugin.drop()
end

return corebank
