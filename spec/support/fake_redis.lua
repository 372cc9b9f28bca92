--- A Redis without sockets: it runs the store's own scripts, on a clock that can be set.
--
--   local server = fake_redis.new(function() return world.now end)
--   redis.new({connect = server.connect}, system)
--
-- server.up: whether it is there; server.ahead: seconds by which its clock is wrong; server.lost():
-- nil, or "question" or "answer" when that is lost.

local fake_redis = {}

local Server = {}
Server.__index = Server

local function record_of(self, key)
  local record = self.records[key]
  if record and record.ends and record.ends <= self:time() then
    self.records[key], record = nil, nil
  end
  return record
end

-- Its clock, in milliseconds.
function Server:time()
  return math.floor((self.clock() + self.ahead) * 1000)
end

local COMMANDS = {}

function COMMANDS.GET(self, key)
  local record = record_of(self, key)
  return record and record.value or false
end

function COMMANDS.SET(self, key, value, px, milliseconds)
  self.records[key] = {value = tostring(value), ends = px and self:time() + milliseconds}
end

function COMMANDS.DEL(self, key)
  self.records[key] = nil
end

function COMMANDS.INCR(self, key)
  local record = record_of(self, key) or {value = "0"}
  record.value = ("%d"):format(record.value + 1)
  self.records[key] = record
end

function COMMANDS.PEXPIRE(self, key, milliseconds)
  local record = record_of(self, key)
  if record then record.ends = self:time() + milliseconds end
end

function COMMANDS.PEXPIREAT(self, key, moment)
  local record = record_of(self, key)
  if record then record.ends = tonumber(moment) end
end

function COMMANDS.PTTL(self, key)
  local record = record_of(self, key)
  return not record and -2 or record.ends and record.ends - self:time() or -1
end

function COMMANDS.TIME(self)
  local now = self:time()
  return {("%d"):format(math.floor(now / 1000)), ("%d"):format(now % 1000 * 1000)}
end

-- Lua 5.1's `load` takes no text.
local load_text = rawget(_G, "loadstring") or load

-- A script as a function of its keys and arguments.
local function compile(self, text)
  local run = assert(load_text("local redis, KEYS, ARGV = ...\n" .. text))
  local redis = {call = function(name, ...) return COMMANDS[name](self, ...) end}
  return function(keys, arguments) return run(redis, keys, arguments) end
end

function Server:eval(text, count, ...)
  local lost, given, keys = self.lost(), {...}, {}
  if lost == "question" then return nil, "timeout" end
  self.scripts[text] = self.scripts[text] or compile(self, text)
  for i = 1, count do keys[i] = table.remove(given, 1) end
  self.operations = self.operations + 1
  local reply = self.scripts[text](keys, given)
  if lost == "answer" then return nil, "timeout" end
  return reply
end

--- Loses all that it has.
function Server:flush()
  self.records = {}
end

---@param clock fun(): number seconds
---@return table
function fake_redis.new(clock)
  local self = setmetatable({clock = clock, up = true, ahead = 0, operations = 0, records = {},
    scripts = {}, lost = function() end}, Server)
  local connection = {eval = function(_, ...) return self:eval(...) end, close = function() end}
  function self.connect()
    if self.up then return connection end
    return nil, "connection refused"
  end
  return self
end

return fake_redis
