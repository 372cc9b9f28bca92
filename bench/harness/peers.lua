--- Who is measured: what the bench/peers/NAME/peer.lua return, each told what `here` has. A peer:
--
--   title        for people
--   kind         "ours", "limit", "command", or its language
--   prepare      bench/prepare/PREPARE builds or installs it
--   version      a command that prints its version, and fails when it is not there
--   program      the words before the mode
--   modes        those that the program knows
--   once, start, many    words instead of the program's, for that mode
--   environment  NAME=VALUE, ...
--   note         what a reader must know to compare
--   obstacle     set here: why it cannot be prepared; `unreachable` is true if the reason is that
--                npm's registry cannot be reached

local figures = require "bench.harness.figures"
local process = require "bench.harness.process"

local ORDER = {
  "corebank", "corebank-nginx", "bare", "curl", "go-http", "go-oauth2", "lua-luasec", "lua-http",
  "python-requests", "python-authlib", "node-fetch", "node-simple-oauth2", "node-openid-client",
}

local peers = {}

local Peer = {}
Peer.__index = Peer

--- A peer of what its file says.
function peers.new(given)
  return setmetatable(given, Peer)
end

--- Whether it can do what a mode asks for.
function Peer:can(mode)
  local modes = " " .. (self.modes or "") .. " "
  return self[mode] ~= nil or modes:find(" " .. mode .. " ", 1, true) ~= nil
end

--- The words for a mode. `before` are words for a program that runs them.
function Peer:words(before, mode, ...)
  return process.join({"env"}, self.environment or {}, before,
    self[mode] or process.join(self.program, {mode}), {...})
end

--- What it says. It must succeed.
function Peer:run(mode, ...)
  return process.output(self:words({}, mode, ...))
end

--- The same, which must cost the bank so many POSTs: a peer that keeps a token where it is to fetch
-- one, or fetches one where it is to keep it, would be measured at something else.
function Peer:run_posting(bank, posts, mode, ...)
  local before = bank:posts()
  local said = self:run(mode, ...)
  local made = bank:posts() - before
  assert(made == posts, ("%s made %d POSTs when told '%s', not %d"):format(self.title, made, mode,
    posts))
  return said
end

--- Its processes for a mode, `count` of them one after another: the medians of their milliseconds,
-- and of their MiB at the peak.
function Peer:processes(out, count, mode, ...)
  local wall, cpu, peak = {}, {}, {}
  local output = process.output(self:words({out .. "/spawn", count}, mode, ...))
  for w, c, kib in output:gmatch "(%S+) (%S+) (%d+)\n" do
    wall[#wall + 1], cpu[#cpu + 1], peak[#peak + 1] = w * 1e3, c * 1e3, kib / 1024
  end
  return {wall = figures.median(wall), cpu = figures.median(cpu), peak = figures.median(peak)}
end

local function setting(name)
  return assert(os.getenv(name), name .. " is not set")
end

local function here_for(name, out)
  local root = process.first_line(process.output{"pwd"})
  return {
    out = out, folder = "bench/peers/" .. name, setting = setting,
    python = process.is_there "/usr/bin/python3" and "/usr/bin/python3" or "python3",
    lua_path = function(rest)
      return {("LUA_PATH=%s/lua/?.lua;%s/bench/modes/?.lua%s"):format(root, root, rest)}
    end,
  }
end

local function last_line(text)
  return text:gsub("%s+$", ""):match "[^\n]*$"
end

-- Of all that an interpreter says when something is missing, the line that says what.
local function complaint(said, words)
  for line in said:gmatch "[^\n]+" do
    if line:find "Error: " or line:find "not found" then return line end
  end
  local last = last_line(said)
  return last ~= "" and last or words[1] .. " failed"
end

-- The exit statuses of a preparation that lacks something, or npm's registry.
local NOT_HERE, UNREACHABLE = 3, 4

-- Why a peer cannot be prepared, or nothing. A peer that is broken raises an error.
local function obstacle(peer, name, out)
  if peer.prepare then
    local said, good, _, status = process.try{"bench/prepare/" .. peer.prepare, name, out}
    peer.unreachable = status == UNREACHABLE
    if status == NOT_HERE or peer.unreachable then return last_line(said) end
    assert(good, said)
  end
  local said, good = process.try(process.join({"env"}, peer.environment or {}, peer.version))
  if not good then return complaint(said, peer.version) end
  peer.version = process.first_line(said)
end

--- Those that are there; and those that are not, each with its `obstacle`.
function peers.find(out)
  local found, left_out = {}, {}
  for _, name in ipairs(ORDER) do
    local describe = assert(loadfile("bench/peers/" .. name .. "/peer.lua"))
    for _, given in ipairs(describe(here_for(name, out))) do
      local peer = peers.new(given)
      peer.name = peer.name or name
      peer.obstacle = obstacle(peer, name, out)
      if peer.obstacle then
        left_out[#left_out + 1] = peer
      else
        found[#found + 1], found[peer.name] = peer, found[peer.name] or peer
      end
    end
  end
  return found, left_out
end

--- Those among them that know a mode.
function peers.with(found, mode)
  local list = {}
  for _, peer in ipairs(found) do
    if peer:can(mode) then list[#list + 1] = peer end
  end
  return list
end

return peers
