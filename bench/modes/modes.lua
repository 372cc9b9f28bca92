--- What a Lua peer can be asked to do, and how it times itself. bench/run.lua says what each means.
--
--   modes.run{exchange = f, get = f, now = f, MODE = f, ...}
--
-- `exchange()` gets a token and raises when it cannot; `get()` makes a request with a kept token;
-- `now()` is a wall clock. A mode that only some peers know is a function of what follows it on the
-- command line; what it returns is printed.

local modes = {}

--- KiB of this process, by the kernel's name: VmHWM is the peak, VmRSS is now.
function modes.kib(name)
  local file = assert(io.open("/proc/self/status"))
  local kib = file:read("*a"):match(name .. ":%s*(%d+) kB")
  file:close()
  return tonumber(kib)
end

local known = {}

function known.start() end

function known.once(peer)
  return (peer.exchange())
end

function known.warm(peer, count)
  peer.exchange()
  local wall, cpu = peer.now(), os.clock()
  for _ = 1, count do peer.exchange() end
  wall, cpu = peer.now() - wall, os.clock() - cpu
  return ("%.9f %.9f"):format(wall, cpu)
end

function known.turns(peer, count)
  peer.exchange()
  io.stdout:setvbuf "line"
  while io.read() do
    local wall = peer.now()
    for _ = 1, count do peer.exchange() end
    print(("%.9f"):format(peer.now() - wall))
  end
end

function known.memory(peer, count, early)
  local peak_early
  for i = 1, count do
    peer.exchange()
    if i == early then peak_early = modes.kib "VmHWM" end
  end
  return ("%d %d"):format(peak_early, modes.kib "VmHWM")
end

-- The mode get-warm is warm, with requests in place of exchanges.
local function find(peer, name)
  local rest = name:match "^get%-(.*)$"
  if rest then peer = {exchange = peer.get, now = peer.now} end
  return function(...) return known[rest or name](peer, ...) end
end

function modes.run(peer)
  local mode = peer[arg[1]] or find(peer, arg[1])
  local said = mode(tonumber(arg[2]), tonumber(arg[3]) or arg[3])
  if said then print(said) end
end

return modes
