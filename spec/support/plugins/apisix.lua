--- APISIX as far as a plugin sees it, inside a real nginx: how it loads, calls and unloads a
-- plugin, its core, its copies of configurations.
--
-- Configurations come from the dict `control` ("config": a list as JSON, "version"), as from
-- apisix.yaml. Each worker makes new tables of each version, and one for each consumer.

local check_json = require "spec.support.plugins.json_schema"
local cjson = require "cjson"
local commands = require "spec.support.plugins.commands"

local harness = {}

local NAME = "apisix.plugins.corebank-auth"

local function deepcopy(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for name, each in pairs(value) do copy[name] = deepcopy(each) end
  return copy
end

-- ---- apisix.core and apisix.secret -------------------------------------------------------------

local function set_request_header(ctx, name, value)
  assert(type(ctx) == "table" and type(name) == "string")
  assert(ngx.get_phase() ~= "balancer", "API disabled in the context of balancer_by_lua*")
  ngx.req.set_header(name, value)
  ctx.var["http_" .. name:lower():gsub("-", "_")] = nil
end

local core = {
  config = {type = "yaml"},   -- or "etcd"
  schema = {check = check_json, TYPE_CONSUMER = 1, TYPE_METADATA = 2},
  request = {set_header = set_request_header},
  response = {set_header = function(name, value) ngx.header[name] = value end},
}

local function resolve(refs)
  for name, value in pairs(refs) do
    if type(value) == "table" then
      resolve(value)
    elseif type(value) == "string" and value:find "^%$%w+://" then
      refs[name] = ngx.shared.control:get(value) or value
    end
  end
  return refs
end

-- A new deep copy each time, as the newest APISIX gives it.
local function fetch_secrets(conf)
  return resolve(deepcopy(conf))
end

-- ---- loading -----------------------------------------------------------------------------------

local plugin

local function load_plugin()
  plugin = require(NAME)
  assert(plugin.priority and plugin.version and type(plugin.schema) == "table")
  assert(not plugin.schema.properties._meta)
  plugin.schema.properties._meta = {type = "object"}
  plugin.name = "corebank-auth"
  if plugin.init then plugin.init() end
end

local function unload_plugin()
  plugin.destroy()
  package.loaded[NAME] = nil
end

function harness.init()
  package.loaded["apisix.core"] = core
  package.loaded["apisix.secret"] = {fetch_secrets = fetch_secrets}
end

-- The privileged agent loads and unloads plugins as a worker does, and has no id. It begins no
-- timer of its own here.
local function be_privileged_agent()
  local id, every, at = ngx.worker.id, ngx.timer.every, ngx.timer.at
  local function none() error "the privileged agent needs no timer" end
  ngx.worker.id, ngx.timer.every, ngx.timer.at = function() end, none, none
  load_plugin()
  unload_plugin()
  ngx.worker.id, ngx.timer.every, ngx.timer.at = id, every, at
end

function harness.init_worker()
  io.open(ngx.config.prefix() .. "worker." .. ngx.worker.pid(), "w"):close()
  be_privileged_agent()
  load_plugin()
end

function harness.exit_worker()
  unload_plugin()
  assert(#require "corebank.auth.gateway.clients".each() == 0)
end

-- ---- encryption --------------------------------------------------------------------------------

-- Ciphertext as AES gives it, blocks of 16 bytes in base64; but anyone can read it.
local function encrypt(text)
  local padding = 16 - #text % 16
  return ngx.encode_base64(text .. string.char(padding):rep(padding))
end

local function decrypt(text)
  local padded = ngx.decode_base64(text)
  return padded:sub(1, -1 - padded:byte(-1))
end

-- Encrypts or decrypts the fields that the plugin names, at most two levels deep.
local function convert(conf, action)
  if core.config.type ~= "etcd" then return conf end
  for _, path in ipairs(plugin.schema.encrypt_fields) do
    local outer, inner = path:match "^(.-)%.(.*)$"
    local record, name = conf, path
    if outer then record, name = conf[outer], inner end
    if record and record[name] then record[name] = action(record[name]) end
  end
  return conf
end

local function read_type()
  core.config.type = ngx.shared.control:get "type" or "yaml"
end

-- ---- configurations ----------------------------------------------------------------------------

local version, routes, merged = 0, {}, {}

local function rebuild()
  local newest = ngx.shared.control:get "version"
  if not newest or newest == version then return end
  version, routes, merged = newest, {}, {}
  read_type()
  for i, conf in ipairs(cjson.decode(ngx.shared.control:get "config")) do
    convert(conf, encrypt)
    assert(plugin.check_schema(conf))
    convert(conf, decrypt)
    conf._meta = setmetatable({}, {__index = {parent = {resource_key = "/routes/" .. i}}})
    routes[i] = conf
  end
end

-- The route's table, or a copy for the consumer.
local function configuration()
  local index, consumer = tonumber(ngx.var.uri:match "^/(%d+)"), ngx.var.arg_consumer
  if not consumer then return routes[index] end
  local key = index .. "#" .. consumer
  if not merged[key] then
    merged[key] = deepcopy(routes[index])
    merged[key]._from_consumer = true
  end
  return merged[key]
end

-- ---- requests ----------------------------------------------------------------------------------

local function new_context()
  local var = setmetatable({}, {__index = function(self, name)
    local value = ngx.var[name]
    rawset(self, name, value)
    return value
  end})
  return {var = var}
end

local function run(phase, ctx, conf)
  if not plugin[phase] then return end
  local code, body = plugin[phase](conf, ctx)
  if not code and not body then return end
  ngx.status = code
  ngx.print(type(body) == "table" and cjson.encode(body) .. "\n" or body)
  return ngx.exit(code)
end

-- The global rule's configuration first, then the route's.
local function run_all(phase)
  local confs = ngx.ctx.confs
  for i = 1, 2 do
    if confs[i] then run(phase, ngx.ctx.api_ctx, confs[i]) end
  end
end

function harness.access()
  rebuild()
  local ctx = new_context()
  local conf = assert(configuration(), "no such route")
  ngx.ctx.api_ctx, ngx.ctx.confs = ctx, {routes[tonumber(ngx.var.arg_global)], conf}
  if ngx.var.arg_mirror then ctx.var.upstream_mirror_uri = "http://mirror" end
  for _, phase in ipairs{"rewrite", "access", "before_proxy"} do run_all(phase) end
  function ngx.ctx.before_proxy_again() run_all "before_proxy" end
end

function harness.header_filter()
  if ngx.var.arg_nofilter then return end   -- as when the client goes before the answer comes
  run_all "header_filter"
end

-- After the plugin, as its priority is higher, one that logs all headers.
function harness.log()
  run_all "log"
  commands.note_headers(ngx.ctx.api_ctx.var.http_authorization)
end

function harness.body_filter()
  if not ngx.var.arg_nofilter then commands.note_headers() end
end

-- ---- administration ----------------------------------------------------------------------------

local own = {}

--- Where configurations come from: "yaml" or "etcd".
function own.source(asked) ngx.shared.control:set("type", asked.type) end

function own.config()
  read_type()
  return commands.configure(function(list)
    for _, conf in ipairs(list) do
      local ok, mistake = plugin.check_schema(conf)
      if not ok then
        return "failed to check the configuration of plugin corebank-auth err: " .. mistake
      end
    end
  end)
end

--- So many changes of the file, each followed by one request's look at it.
function own.reload(asked)
  for _ = 1, tonumber(asked.times) do
    ngx.shared.control:incr("version", 1)
    rebuild()
  end
end

--- A reload of the plugins: the module is loaded anew, and nothing below it.
function own.plugins()
  unload_plugin()
  load_plugin()
end

function own.fields()
  local names = {}
  for name in pairs(plugin.schema.properties) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, " ")
end

function own.encrypted() return table.concat(plugin.schema.encrypt_fields, " ") end

function own.metadata()
  local ok, mistake = plugin.check_schema({id = "corebank-auth"}, core.schema.TYPE_METADATA)
  return tostring(ok) .. tostring(mistake)
end

harness.administer = commands.run(own)

return harness
