--- Runs one operation on a Redis server, by lua-resty-redis in nginx, by redis-lua in scripts, or
-- by a client of the caller's own.
--
-- lua-resty-redis returns nil for a fault of the network, false for an error of the server, and
-- ngx.null for an absent value. redis-lua raises faults and errors, and returns nil for an absent
-- value. The functions here return a reply, or nil and a fault.

local core = require "corebank.auth.core"
local fault_of = require "corebank.auth.store.redis_fault"
local try = require "corebank.auth.store.try"

local ngx = ngx

local IDLE, POOL = 10, 10   -- seconds for which nginx keeps so many connections

local FIRST_WITH_TLS = 28      -- lua-resty-redis 0.28 connects by TLS

local client = {}

local function method_of(redis, method) return redis[method] end

-- Calls a method of any library's client, or of what a caller's function returned as a client.
local function call(redis, method, ...)
  local ok, reply, fault = try(method_of, redis, method)
  if ok then ok, reply, fault = try(reply, redis, ...) end
  if not ok then return nil, fault_of(reply) end
  if reply == false or reply == nil and fault then return nil, fault_of(fault) end
  return reply
end

-- ---- connections -------------------------------------------------------------------------------

-- The first of these modules that can be loaded.
local function load(names, advice)
  for _, name in ipairs(names) do
    local ok, library = try(require, name)
    if ok and type(library) == "table" then return library end
  end
  return nil, advice
end

--- Why the file of a password cannot be used, or nil.
---@param path string
---@return string? reason
function client.password_file_fault(path)
  local secret, reason = core.secret_file(path)
  if not secret then return (reason:gsub(", or take it as it is by .*$", "")) end   -- not here
  secret:close()
end

-- The file is read for each new connection, because passwords change.
local function password_of(own)
  if not own.passwordFile then return own.password end
  local reason = client.password_file_fault(own.passwordFile)
  if reason then return nil, "passwordFile " .. reason end
  local file, fault = io.open(own.passwordFile, "rb")
  if not file then return nil, "passwordFile cannot be read: " .. fault:match "[^:]*$" end
  local text = file:read "*a"
  file:close()
  return (text:gsub("\n$", ""))
end

local function log_in(redis, own, password)
  local done, fault = true, nil
  if password and own.user then done, fault = call(redis, "auth", own.user, password) end
  if password and not own.user then done, fault = call(redis, "auth", password) end
  if done and own.database > 0 then
    done, fault = call(redis, "select", ("%d"):format(own.database))
  end
  return done, fault
end

-- A connection: its `eval`, whether it was used before, and the function that takes it back.
local function connection_of(redis, wasUsed, give_back)
  return {wasUsed = wasUsed, give_back = give_back,
    eval = function(...) return call(redis, "eval", ...) end}
end

-- A client from the caller. If no function takes it back, it is closed after use.
local function open_own(own)
  local ok, redis, give_back = try(own.connect)
  if not ok or not redis then
    return nil, fault_of(ok and give_back or redis, "the function 'connect' failed")
  end
  return connection_of(redis, false, function(isHealthy)
    if give_back then return give_back(redis, isHealthy) end
    local close = redis.close or redis.quit
    if close then close(redis) end
  end)
end

-- All connections of a pool must have the same settings, the password included.
local pools = 0
local function pool_of(own, password)
  if not own.pool or own.poolPassword ~= password then
    pools = pools + 1
    own.pool, own.poolPassword = "corebank-auth." .. pools, password
  end
  return own.pool
end

-- OpenResty's name of lua-resty-redis, and Debian's.
local function load_for_nginx()
  return load({"resty.redis", "nginx.redis"},
    "lua-resty-redis is missing; on Debian it is the package lua-nginx-redis")
end

-- The options of a connection. With TLS, nginx checks the certificate against its directive
-- lua_ssl_trusted_certificate and the host's name.
local function options_of(own, password)
  return {pool = pool_of(own, password), ssl = own.isTls, ssl_verify = own.isTls,
    server_name = own.isTls and own.host or nil}
end

local function open_in_nginx(own, ends)
  local library, fault = load_for_nginx()
  if not library then return nil, fault end
  local password
  password, fault = password_of(own)
  if fault then return nil, fault end
  local redis = library:new()
  local function give_back(isHealthy)
    if isHealthy then redis:set_keepalive(IDLE * 1000, POOL) else redis:close() end
  end
  redis:set_timeout(math.max(1, math.floor((ends - core.boot()) * 1000)))
  local host = own.host:find ":" and "[" .. own.host .. "]" or own.host
  local done
  done, fault = call(redis, "connect", host, own.port, options_of(own, password))
  if not done then
    give_back(false)   -- the library leaves a socket open whose handshake has failed
    return nil, fault
  end
  local wasUsed = redis:get_reused_times() ~= 0
  if not wasUsed then
    done, fault = log_in(redis, own, password)
    if not done then
      give_back(false)
      return nil, fault
    end
  end
  return connection_of(redis, wasUsed, give_back)
end

-- A socket of LuaSocket, all of whose calls return by `ends`. redis-lua uses it for its own.
local function timed_socket(socket, ends)
  local timed = {}
  local function limit() socket:settimeout(math.max(0, ends - core.boot()), "t") end
  function timed.connect(_, ...) limit() return socket:connect(...) end
  function timed.send(_, ...) limit() return socket:send(...) end
  function timed.receive(_, ...) limit() return socket:receive(...) end
  function timed.close() return socket:close() end
  return timed
end

-- Makes a connection for each operation: forked children and the programs that the script starts
-- would inherit a kept connection.
local function open_in_script(own, ends)
  local library, fault = load({"redis"},
    "redis-lua is missing; on Debian it is the package lua-redis, which Lua 5.4 finds with "
      .. "/usr/share/lua/5.3/?.lua in LUA_PATH")
  if not library then return nil, fault end
  local password
  password, fault = password_of(own)
  if fault then return nil, fault end
  local raw = require "socket".tcp()
  local socket = timed_socket(raw, ends)
  local done
  done, fault = socket:connect(own.host, own.port)
  if not done then
    raw:close()
    return nil, fault_of(fault)
  end
  raw:setoption("tcp-nodelay", true)
  local redis = library.connect{socket = socket}
  done, fault = log_in(redis, own, password)
  if not done then
    raw:close()
    return nil, fault
  end
  return connection_of(redis, false, function() raw:close() end)
end

local function open(own, ends)
  if own.connect then return open_own(own) end
  if ngx then return open_in_nginx(own, ends) end
  return open_in_script(own, ends)
end

-- ---- operations --------------------------------------------------------------------------------

-- Calls a function as pcall does. In nginx it limits the time of the call: the limits of the
-- libraries are for each read, and a server that sends byte by byte never reaches them.
local function within(seconds, work)
  if not ngx then return pcall(work) end
  local result
  local working = ngx.thread.spawn(function() result = {pcall(work)} end)
  local sleeping = ngx.thread.spawn(function() ngx.sleep(seconds) end)
  ngx.thread.wait(working, sleeping)
  ngx.thread.kill(working)
  ngx.thread.kill(sleeping)
  if not result then return true, nil, "timeout" end
  return result[1], result[2], result[3]
end

--- Whether the library knows TLS: lua-resty-redis does from version 0.28 on, redis-lua does not.
---@return boolean
function client.knows_tls()
  local library = ngx and load_for_nginx()
  if not library then return false end
  local major, minor = tostring(library._VERSION):match "^(%d+)%.(%d+)"
  return major ~= nil and (tonumber(major) > 0 or tonumber(minor) >= FIRST_WITH_TLS)
end

--- Why no server can be asked now, or nil when one can.
---@return string? mistake
function client.objection()
  if ngx and not pcall(ngx.socket.tcp) then
    return ("no server can be asked in %s_by_lua*"):format(ngx.get_phase())
  end
end

--- Runs `work` with a connection to the server, all within the timeout. `work` gets the function
-- `eval`, which runs a script on the server, and returns a reply, or nil and a fault. It may run
-- twice, because a kept connection may be dead.
---@param own table what redis_options.read made
---@param work fun(eval: fun(text: string, keys: integer, ...): any): any, string?
---@return any reply
---@return string? fault
function client.run(own, work)
  local ends, current = core.boot() + own.timeout, nil
  local ok, reply, fault = within(own.timeout, function()
    while true do
      local connection, reply, fault
      connection, fault = open(own, ends)
      if not connection then return nil, fault end
      current = connection
      reply, fault = work(connection.eval)
      current = nil
      try(connection.give_back, fault == nil)   -- if it raises, the reply is there all the same
      if fault == nil or not connection.wasUsed then return reply, fault end
    end
  end)
  if current then pcall(current.give_back, false) end
  if not ok then error(reply, 0) end
  return reply, fault
end

return client
