--- A real redis-server on a free port of 127.0.0.1.
--
--   local server = redis.start{requirepass = "canary-secret"}
--   auth.store.redis{url = server.url}
--   server:cli "config set maxmemory 1"
--   server:stop()

local files = require "spec.support.files"
local lfs = require "lfs"
local sandbox = require "spec.sandbox"
local socket = require "socket"

local HERE = debug.getinfo(1, "S").source:match "^@(.*)/[^/]*$"

local await, quoted = sandbox.await, files.quoted

local redis = {}

-- Debian's lua-redis lies in the folders of Lua 5.1 to 5.3, and runs on 5.4, too.
redis.PATH = "/usr/share/lua/5.3/?.lua"
if not package.path:find(redis.PATH, 1, true) then
  package.path = package.path .. ";" .. redis.PATH
end

--- Whether there is a redis-server.
redis.possible = os.execute "command -v redis-server >/dev/null" and true
if redis.possible == 0 then redis.possible = true end

local Server = {}
Server.__index = Server

local running = {}   -- servers as keys

--- A port of 127.0.0.1 that nobody has.
function redis.free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return tonumber(port)
end

--- Starts one. `changes`: settings of redis.conf.
---@param changes table<string, string>?
---@param mode string? "--sentinel"
---@return table server url, port
function redis.start(changes, mode)
  local self = setmetatable({port = redis.free_port(), settings = {}}, Server)
  for name, value in pairs(changes or {}) do self.settings[name] = value end
  self.url, self.mode = "redis://127.0.0.1:" .. self.port, mode or ""
  self:run()
  return self
end

--- Runs it, on the port that it had.
function Server:run()
  self.dir = files.new_folder()
  local lines = {"port " .. self.port, "bind 127.0.0.1", "dir " .. self.dir,
    "pidfile " .. self.dir .. "/pid", self.mode == "" and 'save ""' or nil}
  for name, value in pairs(self.settings) do lines[#lines + 1] = name .. " " .. value end
  files.write(self.dir .. "/redis.conf", table.concat(lines, "\n") .. "\n", "600")
  running[self] = true
  self.pipe = assert(io.popen(("unset LD_PRELOAD; exec %s/keep %s redis-server %s/redis.conf %s")
    :format(quoted(HERE), quoted(self.dir), quoted(self.dir), self.mode), "w"))
  await("redis-server does not start", function()
    local answer = lfs.attributes(self.dir .. "/pid") and self:cli "ping"
    return answer and (answer:find "PONG" or answer:find "LOADING" or answer:find "MASTERDOWN")
  end)
end

--- What redis-cli prints for a command, which may need the server's password.
---@param command string
---@return string
function Server:cli(command)
  local password = self.settings.requirepass
  return files.output_of(("%s redis-cli -p %d %s"):format(
    password and "REDISCLI_AUTH=" .. quoted(password) or "", self.port, command))
end

--- Waits until a key is gone.
function redis.await_gone(server, key)
  await(key .. " is still there", function() return server:cli("exists " .. key):find "0" end)
end

--- Sends its process a signal.
function Server:signal(name)
  local pid = tonumber(files.content(self.dir .. "/pid"))
  assert(os.execute(("kill -%s %d"):format(name, pid)))
end

--- Ends it, if it runs.
function Server:stop()
  if not self.pipe then return end
  running[self] = nil
  self.pipe:close()
  self.pipe = nil
end

--- Stops those that a test has left running: for after_each.
function redis.stop_all()
  for server in pairs(running) do server:stop() end
end

return redis
