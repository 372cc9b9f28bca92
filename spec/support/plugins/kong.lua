--- Kong as far as a plugin sees it, inside a real nginx: how it loads and calls a plugin, its PDK,
-- its timers, its copies of configurations.
--
-- Configurations come from the dict `control` ("config": a list as JSON, "version"), as from Kong's
-- declarative file. Each worker makes new tables of each version, and calls configure().

local cjson = require "cjson"
local commands = require "spec.support.plugins.commands"
local semaphores = require "ngx.semaphore"

local harness = {}

local THREADS = 8   -- of lua-resty-timer-ng, in which callbacks run

-- ---- timers ------------------------------------------------------------------------------------

-- Kong replaces ngx.timer.*: callbacks are run by a few long-lived timers.
local function replace_timers()
  local native = ngx.timer.at
  local jobs, semaphore = {}, semaphores.new(0)
  local function loop(premature)
    while not premature and not ngx.worker.exiting() do
      if semaphore:wait(0.5) then
        local job = table.remove(jobs, 1)
        local ok, fault = pcall(job)
        if not ok then ngx.log(ngx.ERR, "timer: ", fault) end
      end
    end
  end
  for _ = 1, THREADS do assert(native(0, loop)) end
  function ngx.timer.at(delay, callback, ...)
    local arguments = {...}
    local function job() callback(ngx.worker.exiting(), unpack(arguments)) end
    return native(delay, function()
      jobs[#jobs + 1] = job
      semaphore:post(1)
    end)
  end
  function ngx.timer.every(delay, callback, ...)
    local arguments = {...}
    local function again()
      callback(ngx.worker.exiting(), unpack(arguments))
      if not ngx.worker.exiting() then ngx.timer.at(delay, again) end
    end
    return ngx.timer.at(delay, again)
  end
end

-- ---- the PDK -----------------------------------------------------------------------------------

local function check_phase(...)
  local phase = ngx.get_phase()
  for _, allowed in ipairs{...} do
    if phase == allowed then return end
  end
  error("function cannot be called in " .. phase .. " phase")
end

local function vault(reference)
  return ngx.shared.control:get(reference)
end

-- In a plugin's access(), Kong notes an answer, and leaves the plugin's coroutine suspended.
local function answer(status, body, headers)
  ngx.ctx.delayed = {status = status, body = body, headers = headers}
  coroutine.yield()
  error "the coroutine of a plugin was resumed"
end

local function flush(delayed)
  for name, value in pairs(delayed.headers) do ngx.header[name] = value end
  ngx.status = delayed.status
  ngx.print(delayed.body)
  return ngx.exit(delayed.status)
end

-- An error's form is the one that the client accepts.
local function error_form(message)
  if (ngx.var.http_accept or ""):find("text/plain", 1, true) then
    return message .. "\n", "text/plain; charset=utf-8"
  end
  return cjson.encode{message = message, request_id = "0123"}, "application/json; charset=utf-8"
end

local function new_pdk()
  local pdk = {response = {}, service = {request = {}, response = {}}, ctx = {}, vault = {}}
  function pdk.vault.update(config)
    require "spec.support.plugins.kong_schema".update(config, vault)
  end
  setmetatable(pdk.ctx, {__index = function(_, name)
    assert(name == "plugin")
    ngx.ctx.plugin = ngx.ctx.plugin or {}
    return ngx.ctx.plugin
  end})
  function pdk.response.error(status, message, headers)
    check_phase("rewrite", "access")
    assert(status > 399 and type(message) == "string")
    for name, value in pairs(headers) do assert(type(name .. value) == "string") end
    local body, kind = error_form(message)
    headers["Content-Type"] = kind
    return answer(status, body, headers)
  end
  function pdk.service.request.set_header(name, value)
    check_phase("rewrite", "access", "balancer")
    assert(type(name) == "string" and type(value) == "string")
    ngx.req.set_header(name, value)
  end
  function pdk.service.response.get_status()
    check_phase("header_filter", "body_filter", "log")
    return tonumber((ngx.var.upstream_status or ""):sub(-3))
  end
  function pdk.service.response.get_header(name)
    check_phase("header_filter", "body_filter", "log")
    return ngx.var["upstream_http_" .. name:gsub("-", "_")]
  end
  return pdk
end

-- ---- loading -----------------------------------------------------------------------------------

local handler, made

-- In the master, Kong also checks the declarative file.
local function check_file()
  local config = {baseUrl = "https://bank.example", clientId = "x", clientSecret = "canary-secret",
    proxy = "http://user:canary-word@127.0.0.1:1", headers = {["X-Key"] = "canary-key"},
    redis = {url = "redis://:canary-word@127.0.0.1:1"}}
  local schema = require "spec.support.plugins.kong_schema"
  local mistake = schema.validate(made, config)
  assert(not mistake, mistake)
end

--- In the master: Kong loads schemas and handlers there.
function harness.init()
  kong = new_pdk()
  package.loaded["kong.db.schema.typedefs"] = {protocols_http = "protocols_http"}
  package.loaded["kong.plugins.corebank-auth.schema"] = nil
  made = require "kong.plugins.corebank-auth.schema"
  require "spec.support.plugins.kong_schema".check(made)
  handler = require "kong.plugins.corebank-auth.handler"
  assert(type(handler.PRIORITY) == "number" and handler.VERSION:find "^%d+%.%d+%.%d+")
  check_file()
end

local version, configurations = 0, {}

-- What Kong does when the declarative configuration has changed.
local function rebuild()
  local newest = ngx.shared.control:get "version"
  if not newest or newest == version then return end
  version, configurations = newest, {}
  for i, config in ipairs(cjson.decode(ngx.shared.control:get "config")) do
    local resolved = require "spec.support.plugins.kong_schema".resolve(made, config, vault)
    resolved.__plugin_id, resolved.route_id = "plugin-" .. i, "route-" .. i
    configurations[i] = resolved
  end
  handler:configure(#configurations > 0 and configurations or nil)
end

-- The privileged agent has no id, and needs no timer.
local function be_privileged_agent()
  local id, every, at = ngx.worker.id, ngx.timer.every, ngx.timer.at
  local function none() error "the privileged agent needs no timer" end
  ngx.worker.id, ngx.timer.every, ngx.timer.at = function() end, none, none
  handler:configure(nil)
  ngx.worker.id, ngx.timer.every, ngx.timer.at = id, every, at
end

function harness.init_worker()
  io.open(ngx.config.prefix() .. "worker." .. ngx.worker.pid(), "w"):close()
  be_privileged_agent()
  replace_timers()
  rebuild()
  if version == 0 then handler:configure(nil) end
end

-- ---- requests ----------------------------------------------------------------------------------

-- /1/…: the first configuration's route.
local function configuration()
  return configurations[tonumber(ngx.var.uri:match "^/(%d+)")]
end

function harness.access()
  rebuild()
  local conf = assert(configuration(), "no such route")
  ngx.ctx.conf = conf
  kong.vault.update(conf)
  local ok, fault = coroutine.resume(coroutine.create(handler.access), handler, conf)
  if not ok then error(fault) end
  if ngx.ctx.delayed then return flush(ngx.ctx.delayed) end
end

function harness.header_filter()
  if ngx.var.arg_nofilter then return end   -- as when the client goes before the answer comes
  handler:header_filter(ngx.ctx.conf)
end

-- After the plugin, as its priority is higher, one that logs all headers.
function harness.log()
  handler:log(ngx.ctx.conf)
  commands.note_headers(ngx.var.http_authorization)
end

function harness.body_filter()
  if not ngx.var.arg_nofilter then commands.note_headers() end
end

-- ---- administration ----------------------------------------------------------------------------

local own = {}

function own.config()
  return commands.configure(function(list)
    for _, config in ipairs(list) do
      local mistake = require "spec.support.plugins.kong_schema".validate(made, config)
      if mistake then return mistake end
    end
  end)
end

--- So many changes of the configuration.
function own.reload(asked)
  for _ = 1, tonumber(asked.times) do
    ngx.shared.control:incr("version", 1)
    rebuild()
  end
end

--- The fields of the schema; with an asterisk those that a vault may give and that are encrypted.
function own.fields()
  local names = {}
  for _, item in ipairs(made.fields) do
    for _, field in ipairs(item.config and item.config.fields or {}) do
      local name, of = next(field)
      names[#names + 1] = name .. (of.referenceable and of.encrypted and "*" or "")
    end
  end
  table.sort(names)
  return table.concat(names, " ")
end

harness.administer = commands.run(own)

return harness
