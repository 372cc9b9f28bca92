--- A process of bench/parts/fleet.lua: a host that uses a token ten times a second, for so long.
-- Prints a line for each time that it got none.
--
--   fleet.lua REDIS FOLDER SECONDS      and the bank as the command takes it, from the environment

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local socket = require "socket"

local PAUSE = 0.1   -- seconds

local url, folder, ends = arg[1], arg[2], core.boot() + tonumber(arg[3])

local bank = auth.client{store = auth.store.layered(auth.store.file{dir = folder},
  auth.store.redis{url = url})}
while core.boot() < ends do
  local token, message = bank:token()
  if not token then print(message) end
  socket.sleep(PAUSE * (0.5 + core.random()))
end
