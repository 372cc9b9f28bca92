--- A gateway on a real nginx, in front of the sandbox bank and of an API that requires its token.
--
--   local gate = gateway.start{setup = {baseUrl = scenario.baseUrl}}
--   local status, headers, body = gate:get "/api/"
--   gate:stop()
--
-- Locations: /api/ is proxied with inject() and observe(); /ready; /metrics; /plain/ is proxied
-- without a token. upstream.lua is the API.

local files = require "spec.support.files"
local http = require "socket.http"
local lfs = require "lfs"
local ltn12 = require "ltn12"
local sandbox = require "spec.sandbox"
local socket = require "socket"

local HERE = debug.getinfo(1, "S").source:match "^@(.*)/[^/]*$"
local CHECKOUT = lfs.currentdir()
local BUILD = os.getenv "CBA_BUILD"

local await, literal, quoted = sandbox.await, sandbox.literal, files.quoted

local gateway = {}

--- Whether the build under test is one that nginx can load. Specs of nginx say nothing elsewhere.
gateway.possible = BUILD and BUILD:find("^luajit") ~= nil

local Gateway = {}
Gateway.__index = Gateway

local running = {}   -- gateways as keys

local TEMPLATE = [[
$modules
$user
daemon off;
worker_processes $workers;
pid nginx.pid;
lock_file nginx.lock;
error_log error.log warn;
$main
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000000;
  lua_package_path "$checkout/lua/?.lua;$checkout/?.lua;$checkout/?/init.lua;;";
  lua_package_cpath "$checkout/build/$build/?.so;;";
  lua_shared_dict seen 8m;
  $dict
  $http
  init_worker_by_lua_block {
    io.open(ngx.config.prefix() .. "worker." .. ngx.worker.pid(), "w"):close()
    $init_worker
  }
  upstream api { server 127.0.0.1:$api; $keepalive }
  server {
    listen 127.0.0.1:$api backlog=4096;
    location / {
      content_by_lua_block { require("spec.support.gateway.upstream").answer($lifetime) }
    }
    location /socket {
      content_by_lua_block { require("spec.support.gateway.upstream").upgrade() }
    }
    location /count/ {
      content_by_lua_block { require("spec.support.gateway.upstream").administer() }
    }
    location /set/ {
      content_by_lua_block { require("spec.support.gateway.upstream").administer() }
    }
  }
  server {
    listen 127.0.0.1:$port backlog=4096;
    $server
    location /api/ {
      $api_location
      set $bank_token "";
      rewrite_by_lua_block { $before_inject require("corebank.auth.nginx").inject() }
      header_filter_by_lua_block { require("corebank.auth.nginx").observe() }
      proxy_set_header Authorization $bank_token;
      proxy_pass http://api;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
    location = /ready { content_by_lua_block { require("corebank.auth.nginx").ready() } }
    location = /metrics { content_by_lua_block { require("corebank.auth.nginx").metrics() } }
    location /plain/ { return 200 "ok"; }
  }
}
]]

--- The lines of a configuration that load nginx' Lua module, where it is not built in.
---@return string
function gateway.module_lines()
  local pipe = io.popen "nginx -V 2>&1"
  local folder = pipe:read "*a":match "%-%-modules%-path=(%S+)" or ""
  pipe:close()
  local lines = {}
  for _, name in ipairs{"ndk_http_module.so", "ngx_http_lua_module.so"} do
    if lfs.attributes(folder .. "/" .. name) then
      lines[#lines + 1] = ('load_module "%s/%s";'):format(folder, name)
    end
  end
  return table.concat(lines, "\n")
end

local function user_line()
  local id = io.popen "echo $(id -u) $(id -un) $(id -gn)"
  local number, name, group = id:read "*l":match "(%S+) (%S+) (%S+)"
  id:close()
  -- Started by root, the workers stay root: nobody else can read a temporary folder.
  return number == "0" and ("user %s %s;"):format(name, group) or ""
end

-- All are held until the last is known: none comes twice.
local function free_ports(count)
  local servers, ports = {}, {}
  for i = 1, count do
    local _
    servers[i] = assert(socket.bind("127.0.0.1", 0))
    _, ports[i] = servers[i]:getsockname()
    ports[i] = tonumber(ports[i])
  end
  for _, server in ipairs(servers) do server:close() end
  return ports
end

--- What setup{} gets in the specs: the sandbox bank's credentials and trust; `changes` over that.
function gateway.options(changes)
  local bank = sandbox.bank()
  local options = {baseUrl = bank.url, clientId = bank.clientId, clientSecret = bank.clientSecret,
    caFile = bank.caFile, timeout = 5}
  for name, value in pairs(changes or {}) do options[name] = value end
  return options
end

-- The texts of the template's names.
local function texts(given, ports)
  local options = literal(gateway.options(given.setup))
  local setup = "require('corebank.auth.nginx').setup" .. options
  local values = {modules = gateway.module_lines(), user = user_line(), workers = 2,
    checkout = CHECKOUT, build = BUILD, api = ports[1], port = ports[2], spare = ports[3],
    second = ports[4],
    options = options,
    setup = setup, init_worker = given.no_setup and "" or setup, main = "", http = "",
    dict = "lua_shared_dict corebank 1m;", keepalive = "keepalive 64;", server = "",
    api_location = "", before_inject = "", lifetime = "nil"}
  for name, value in pairs(given) do
    if type(value) ~= "table" then values[name] = value end
  end
  return values
end

-- A value may hold names itself, of values that do.
local function expand(text, values)
  for _ = 1, 3 do
    text = text:gsub("%$([%l_]+)", function(name)
      return values[name] ~= nil and tostring(values[name]) or nil
    end)
  end
  return text
end

--- Starts a gateway. `given`: setup, a table over gateway.options; workers (2); and texts for the
-- configuration: main, http, dict, server, api_location, init_worker, before_inject; or `template`,
-- a configuration of one's own with the same names in it.
function gateway.start(given)
  local ports = free_ports(4)
  local values = texts(given or {}, ports)
  local self = setmetatable({dir = files.new_folder(), port = ports[2], apiPort = ports[1],
    secondPort = ports[4],
    values = values, url = "http://127.0.0.1:" .. ports[2],
    apiUrl = "http://127.0.0.1:" .. ports[1]}, Gateway)
  self:configure{}
  running[self] = true
  self.pipe = assert(io.popen(("unset LD_PRELOAD; PATH=$PATH:/usr/sbin; exec %s/keep %s nginx")
    :format(quoted(HERE), quoted(self.dir)), "w"))
  await("the gateway does not start", function()
    local log = self:log()
    assert(not log:find "%[emerg%]", log)
    return #self:workers() >= values.workers
  end)
  return self
end

--- Starts a gateway at a bank that plays these steps.
---@param steps table as bank:scenario takes them
---@param given table? as start takes it
---@return table gateway
---@return table scenario
function gateway.at_bank(steps, given)
  local scenario = sandbox.bank():scenario(steps)
  given = given or {}
  given.setup = given.setup or {}
  given.setup.baseUrl = scenario.baseUrl
  return gateway.start(given), scenario
end

--- Stops those that a test has left running: for after_each.
function gateway.stop_all()
  for gate in pairs(running) do gate:stop() end
end

--- Waits until every bank has a token.
---@param seconds number?
function Gateway:await_ready(seconds)
  await("no token", function() return (self:get "/ready") == 200 end, seconds)
end

--- Writes the configuration again, with changed texts.
function Gateway:configure(changes)
  for name, value in pairs(changes) do self.values[name] = value end
  files.write(self.dir .. "/nginx.conf", expand(self.values.template or TEMPLATE, self.values))
end

local function alive(pid)
  return lfs.attributes("/proc/" .. pid .. "/stat") ~= nil
end

--- The workers that are up, oldest first.
function Gateway:workers()
  local list = {}
  if not lfs.attributes(self.dir) then return list end
  for name in lfs.dir(self.dir) do
    local pid = name:match "^worker%.(%d+)$"
    if pid and alive(pid) then list[#list + 1] = tonumber(pid) end
  end
  table.sort(list)
  return list
end

--- The master's process id.
function Gateway:pid()
  return tonumber(files.content(self.dir .. "/nginx.pid"))
end

--- Reloads, and returns when new workers are up; the old ones may still be busy.
function Gateway:reload()
  local old = {}
  for _, pid in ipairs(self:workers()) do old[pid] = true end
  assert(os.execute("kill -HUP " .. self:pid()))
  await("no new workers", function()
    local fresh = 0
    for _, pid in ipairs(self:workers()) do fresh = fresh + (old[pid] and 0 or 1) end
    return fresh >= self.values.workers
  end)
end

function Gateway:log()
  return lfs.attributes(self.dir .. "/error.log") and files.content(self.dir .. "/error.log") or ""
end

--- One request. Returns status, headers, body.
function Gateway:get(path, headers)
  local body = {}
  local ok, status, answered = http.request{url = self.url .. path, headers = headers,
    sink = ltn12.sink.table(body), redirect = false}
  assert(ok, tostring(status) .. "\n" .. self:log())
  return status, answered, table.concat(body)
end

--- What the API behind the gateway counted.
function Gateway:count(name)
  return tonumber((http.request(self.apiUrl .. "/count/" .. name)))
end

--- Turns one of the API's switches.
function Gateway:switch(name, on)
  assert(http.request(("%s/set/%s/%d"):format(self.apiUrl, name, on and 1 or 0)) == "ok")
end

--- `count` requests at the same moment, each on a connection of its own. Returns how many were
-- answered with each status.
function Gateway:at_once(count, path)
  local open, statuses = {}, {}
  for i = 1, count do
    open[i] = assert(socket.connect("127.0.0.1", self.port))
    open[i]:settimeout(20)
  end
  for i = 1, count do
    open[i]:send(("GET %s HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n"):format(path))
  end
  for i = 1, count do
    local line = open[i]:receive "*l" or ""
    local status = tonumber(line:match "^HTTP/1.1 (%d+)") or 0
    statuses[status] = (statuses[status] or 0) + 1
    open[i]:close()
  end
  return statuses
end

--- Starts wrk; the result's `finish` gives {requests=, errors=, p99=} in counts and seconds.
function Gateway:load(seconds, connections, path, header)
  local pipe = assert(io.popen(("wrk --latency -t 1 -c %d -d %ds --timeout 20s %s %s 2>&1"):format(
    connections, seconds, header and "-H " .. quoted(header) or "", quoted(self.url .. path))))
  return {finish = function()
    local text = pipe:read "*a"
    pipe:close()
    local errors = tonumber(text:match "Non%-2xx or 3xx responses: (%d+)" or 0)
    for number in (text:match "Socket errors: ([^\n]*)" or ""):gmatch "%d+" do
      errors = errors + tonumber(number)
    end
    return {requests = assert(tonumber(text:match "(%d+) requests in"), text), errors = errors,
      text = text}
  end}
end

--- A metric's value, by its name and labels as on the page.
function Gateway:metric(name)
  local _, _, page = self:get "/metrics"
  return tonumber(page:match("\n" .. name:gsub("%p", "%%%0") .. " ([^\n]+)"))
end

--- Ends it. Raises when the log shows a secret; returns the log.
function Gateway:stop()
  local log = self:log()
  running[self] = nil
  self.pipe:close()
  assert(not log:find "canary%-", "a planted secret is in the gateway's error log")
  return log
end

return gateway
