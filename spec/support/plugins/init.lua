--- Starts a gateway that runs a plugin as Kong or APISIX does, on a real nginx.
--
--   local gate = plugins.start("kong", {scenario = scenario})
--   gate:put{{baseUrl = …}, …}           one configuration for each route, /1/, /2/, …

local auth = require "corebank.auth"
local gateway = require "spec.support.gateway"
local http = require "socket.http"
local ltn12 = require "ltn12"
local sandbox = require "spec.sandbox"
local url = require "socket.url"

local plugins = {}

local TEMPLATE = [[
$modules
$user
daemon off;
worker_processes $workers;
pid nginx.pid;
lock_file nginx.lock;
error_log error.log $level;
$main
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  lua_package_path "$checkout/lua/?.lua;$checkout/?.lua;$checkout/?/init.lua;;";
  lua_package_cpath "$checkout/build/$build/?.so;;";
  lua_shared_dict seen 8m;
  lua_shared_dict control 8m;
  $dict
  init_by_lua_block { require("spec.support.plugins.$which").init() }
  init_worker_by_lua_block { require("spec.support.plugins.$which").init_worker() }
  $exit_worker
  $http
  upstream api {
    server 127.0.0.1:$spare;   # nobody listens
    balancer_by_lua_block { require("spec.support.plugins.balancer").run($api) }
  }
  server {
    listen 127.0.0.1:$api;
    location / { content_by_lua_block { require("spec.support.gateway.upstream").answer() } }
    location /count/ {
      content_by_lua_block { require("spec.support.gateway.upstream").administer() }
    }
    location /set/ {
      content_by_lua_block { require("spec.support.gateway.upstream").administer() }
    }
  }
  server {
    listen 127.0.0.1:$port;
    location / {
      access_by_lua_block { require("spec.support.plugins.$which").access() }
      header_filter_by_lua_block { require("spec.support.plugins.$which").header_filter() }
      body_filter_by_lua_block { require("spec.support.plugins.$which").body_filter() }
      log_by_lua_block { require("spec.support.plugins.$which").log() }
      $location
      proxy_pass http://api;
    }
    location /admin/ {
      client_body_buffer_size 1m;
      content_by_lua_block { require("spec.support.plugins.$which").administer() }
    }
    location = /metrics { content_by_lua_block { require("corebank.auth.nginx").metrics() } }
    location = /status { content_by_lua_block { require("corebank.auth.nginx").status() } }
    $server
  }
}
]]

-- Kong has no such hook.
local EXIT_WORKER = {apisix = "exit_worker_by_lua_block "
  .. "{ require('spec.support.plugins.apisix').exit_worker() }"}

local Gate = {}

--- Gives the gateway its configurations. Returns nil, or what it says is wrong.
function Gate:put(list)
  local body, text = {}, auth.json.encode(list)
  local _, status = http.request{url = self.url .. "/admin/config", method = "POST",
    source = ltn12.source.string(text), sink = ltn12.sink.table(body),
    headers = {["Content-Length"] = #text}}
  if status == 200 then return nil end
  assert(status == 400, tostring(status) .. "\n" .. self:log())
  return table.concat(body)
end

--- A command of the harness, with arguments.
function Gate:admin(command, arguments)
  local parts = {}
  for name, value in pairs(arguments or {}) do
    parts[#parts + 1] = name .. "=" .. url.escape(tostring(value))
  end
  local status, _, body = self:get(("/admin/%s?%s"):format(command, table.concat(parts, "&")))
  assert(status == 200, self:log())
  return body
end

--- Waits until a request is answered with that status.
function Gate:await_status(status, path)
  sandbox.await(path .. " is not answered " .. status, function()
    return (self:get(path)) == status
  end)
end

--- A configuration: the sandbox bank's credentials at a scenario; `changes` over that.
function plugins.options(scenario, changes)
  local bank = sandbox.bank()
  local options = {baseUrl = scenario.baseUrl, clientId = bank.clientId,
    clientSecret = bank.clientSecret, caFile = bank.caFile, timeout = 5}
  for name, value in pairs(changes or {}) do
    if value == "nothing" then options[name] = nil else options[name] = value end
  end
  return options
end

---@param which "kong"|"apisix"
---@param given table? texts of the template: workers, dict, main, http, server, location, level
function plugins.start(which, given)
  local texts = {which = which, template = TEMPLATE, level = "warn", location = "",
    exit_worker = EXIT_WORKER[which] or ""}
  for name, value in pairs(given or {}) do texts[name] = value end
  local gate = gateway.start(texts)
  for name, method in pairs(Gate) do gate[name] = method end
  return gate
end

return plugins
