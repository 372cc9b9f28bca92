--- run.lua BUILD [--smoke]
--
-- Measures peers side by side and judges this library's figures; script/bench prepares everything.
-- Within a round the peers take turns, A B C A B C, so that a machine that slows down slows all of
-- them. A figure is the median of the rounds; a ratio is taken within each round first.
--
-- BUILD holds the programs `bare` and `spawn`, `kept` where there is a Go to build it, and a folder
-- for each Lua with its core in it.
-- A peer names its commands by what is measured:
--   once    one process, one token
--   warm    takes COUNT, makes one call and COUNT more, prints their wall and CPU seconds
--   peak    takes COUNT and EARLY, prints peak memory in KiB after EARLY calls and after COUNT
--   kept    takes COUNT and CLIENTS, prints nanoseconds for a kept token and bytes for a client
--   many    takes COUNT, prints KiB of the process and milliseconds for a client, of that many

local build = assert(arg[1], "usage: run.lua BUILD [--smoke]")
local smoke = arg[2] == "--smoke"

local ROUNDS = smoke and 1 or 9
local ONCE = smoke and 2 or 20              -- processes in a round
local WARM = smoke and 5 or 5000            -- calls in a round
local COUNTED = smoke and {2, 4} or {200, 700}  -- lengths whose difference is counted by callgrind
local COUNTED_ROUNDS = smoke and 1 or 3
local EARLY = smoke and 2 or 50
local KEPT = smoke and {1000, 2} or {2000000, 500}   -- calls of a client's token(), and clients
local MANY = smoke and 3 or 10000           -- clients in one process

-- ---- commands -----------------------------------------------------------------------------------

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- Runs a command, a list of words, and returns all it says.
local function output_of(command)
  local words = {}
  for i, word in ipairs(command) do words[i] = quote(word) end
  local line = table.concat(words, " ") .. " 2>&1"
  local pipe = assert(io.popen(line))
  local output = pipe:read "*a"
  assert(pipe:close(), output)
  return output
end

local function join(...)
  local whole = {}
  for _, part in ipairs{...} do
    for _, word in ipairs(part) do whole[#whole + 1] = word end
  end
  return whole
end

-- Runs a command in a peer's environment. `before` are words for a program that runs the command.
local function output_of_peer(peer, before, command, ...)
  return output_of(join({"env"}, peer.environment or {}, before, command, {...}))
end

local function setting(name)
  return assert(os.getenv(name), name .. " is not set")
end

-- ---- peers --------------------------------------------------------------------------------------

-- An interpreter with this library on its path.
local function ours(lua)
  return {
    name = lua,
    environment = {("LUA_CPATH=%s/%s/?.so"):format(build, lua)},
    once = {lua, "examples/token.lua"},
    warm = {lua, "bench/warm.lua"},
    peak = {lua, "bench/warm.lua"},
    kept = {lua, "bench/kept.lua"},
    many = {lua, "bench/many.lua"},
    version = {lua, "-e", "print((require 'corebank.auth').version())"},
  }
end

local curl = {
  name = "curl",
  once = {"curl", "--disable", "--silent", "--show-error", "--fail",
    "--cacert", setting "COREBANK_CA_FILE", "--header", "Content-Type: application/json",
    "--data", ('{"clientId":"%s","clientSecret":"%s"}'):format(
      setting "COREBANK_CLIENT_ID", setting "COREBANK_CLIENT_SECRET"),
    setting "COREBANK_BASE_URL" .. "/api/auth/v1/authenticate"},
  version = {"curl", "--version"},
}

local bare = {name = "bare loop", warm = {build .. "/bare"}}
local go = {name = "Go oauth2", kept = {build .. "/kept"}}
local lua54 = ours "lua5.4"
local luajit = ours "luajit"

local function is_there(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

-- ---- figures ------------------------------------------------------------------------------------

local function median(values)
  local sorted = {}
  for i, value in ipairs(values) do sorted[i] = value end
  table.sort(sorted)
  local middle = (#sorted + 1) / 2
  return (sorted[math.floor(middle)] + sorted[math.ceil(middle)]) / 2
end

local function ratios(values, limits)
  local list = {}
  for i, value in ipairs(values) do list[i] = value / limits[i] end
  return list
end

local function with_spread(values, pattern)
  local least, most = math.huge, -math.huge
  for _, value in ipairs(values) do
    least, most = math.min(least, value), math.max(most, value)
  end
  return ("%s (%s to %s)"):format(pattern:format(median(values)), pattern:format(least),
    pattern:format(most))
end

-- What `measure(peer)` gives for each peer in each round: peer -> name of figure -> list of values.
local function alternate(peers, rounds, measure)
  local all = {}
  for _ = 1, rounds do
    for _, peer in ipairs(peers) do
      all[peer] = all[peer] or {}
      for name, value in pairs(measure(peer)) do
        all[peer][name] = all[peer][name] or {}
        table.insert(all[peer][name], value)
      end
    end
  end
  return all
end

-- One process: the medians of a round's runs, in milliseconds.
local function measure_once(peer)
  local wall, cpu = {}, {}
  for run in output_of_peer(peer, {build .. "/spawn", tostring(ONCE)}, peer.once):gmatch "[^\n]+" do
    local w, c = run:match "(%S+) (%S+)"
    wall[#wall + 1], cpu[#cpu + 1] = w * 1e3, c * 1e3
  end
  return {wall = median(wall), cpu = median(cpu)}
end

-- One warm call, in microseconds.
local function measure_warm(peer)
  local wall, cpu = output_of_peer(peer, {}, peer.warm, tostring(WARM)):match "(%S+) (%S+)"
  return {wall = wall / WARM * 1e6, cpu = cpu / WARM * 1e6}
end

local function instructions(peer, count)
  local report = output_of_peer(peer,
    {"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"}, peer.warm, tostring(count))
  return assert(tonumber(report:match "Collected : (%d+)"), report)
end

-- One warm call, in instructions: what start and end cost falls out of the difference.
local function measure_counted(peer)
  local few, many = COUNTED[1], COUNTED[2]
  return {instructions = (instructions(peer, many) - instructions(peer, few)) / (many - few)}
end

local function measure_peak(peer)
  local early, late = output_of_peer(peer, {}, peer.peak, tostring(WARM), tostring(EARLY))
    :match "(%d+)%s+(%d+)"
  return {early = tonumber(early), late = tonumber(late)}
end

local function measure_kept(peer)
  local time, bytes = output_of_peer(peer, {}, peer.kept, tostring(KEPT[1]), tostring(KEPT[2]))
    :match "(%S+) ?(%S*)"
  return {time = tonumber(time), bytes = tonumber(bytes)}
end

local function measure_many(peer)
  local size, time = output_of_peer(peer, {}, peer.many, tostring(MANY)):match "(%S+) (%S+)"
  return {size = tonumber(size), time = tonumber(time)}
end

-- ---- the table ----------------------------------------------------------------------------------

local missed = false

local function row(...)
  print(("| %-34s | %-9s | %-26s | %-26s |"):format(...))
end

local function show(what, peers, all, first, second, pattern)
  for _, peer in ipairs(peers) do
    local figures = all[peer]
    row(what, peer.name, with_spread(figures[first], pattern),
      figures[second] and with_spread(figures[second], pattern) or "")
  end
end

local verdicts = {}

local function judge(what, values, most)
  local good = median(values) <= most
  missed = missed or not good
  verdicts[#verdicts + 1] = ("| %-50s | %-24s | %-12s | %-6s |"):format(what,
    with_spread(values, "%.3f"), ("at most %.2f"):format(most), good and "ok" or "MISSED")
end

-- ---- where and when -----------------------------------------------------------------------------

local function first_line(text)
  return text:match "[^\n]*"
end

local function processor()
  local file = io.open "/proc/cpuinfo"
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text:match "model name%s*:%s*([^\n]+)" or "processor not named"
end

local function print_head()
  print("measured  " .. os.date "!%Y-%m-%d %H:%M UTC")
  print(("machine   %s, %s processors, %s"):format(first_line(output_of{"uname", "-srm"}),
    first_line(output_of{"nproc"}), processor()))
  for _, peer in ipairs{lua54, luajit, curl} do
    print(("%-9s %s"):format(peer.name, first_line(output_of_peer(peer, {}, peer.version))))
  end
  print(("rounds    %d, each of %d processes and %d calls; median (least to most)\n"):format(
    ROUNDS, ONCE, WARM))
end

-- ---- everything ---------------------------------------------------------------------------------

print_head()
row("what", "peer", "wall", "CPU")
print "|---|---|---|---|"

local peers = {curl, lua54, luajit}
local once = alternate(peers, ROUNDS, measure_once)
show("one process, ms", peers, once, "wall", "cpu", "%.2f")
judge("(a) one process: wall time, lua5.4 over curl", ratios(once[lua54].wall, once[curl].wall),
  1.25)

peers = {bare, lua54, luajit}
local warm = alternate(peers, ROUNDS, measure_warm)
show("a warm call, microseconds", peers, warm, "wall", "cpu", "%.1f")
judge("(b) warm: wall time, lua5.4 over the bare loop", ratios(warm[lua54].wall, warm[bare].wall),
  1.10)

local counted = alternate(peers, COUNTED_ROUNDS, measure_counted)
show("a warm call, instructions", peers, counted, "instructions", "none", "%.0f")
judge("(b) warm: instructions, lua5.4 over the bare loop",
  ratios(counted[lua54].instructions, counted[bare].instructions), 1.20)

peers = {lua54, luajit}
local peak = alternate(peers, 1, measure_peak)
show(("peak memory after %d calls, KiB"):format(EARLY), peers, peak, "early", "none", "%.0f")
show(("peak memory after %d calls, KiB"):format(WARM), peers, peak, "late", "none", "%.0f")
for _, peer in ipairs(peers) do
  judge(("(c) peak memory: %d calls over %d, %s"):format(WARM, EARLY, peer.name),
    ratios(peak[peer].late, peak[peer].early), 1.05)
end

local all_peers = {lua54, luajit, is_there(go.kept[1]) and go or nil}
local kept = alternate(all_peers, ROUNDS, measure_kept)
show("a kept token, nanoseconds", all_peers, kept, "time", "none", "%.1f")
if not kept[go] then print "(no Go here, or not its oauth2: its row is left out)" end
show("a client with its token, bytes", peers, kept, "bytes", "none", "%.0f")
judge("(d) a kept token: nanoseconds, lua5.4", kept[lua54].time, 60)
judge("(d) a kept token: nanoseconds, luajit", kept[luajit].time, 30)
for _, peer in ipairs(peers) do
  judge(("(e) a client with its token: bytes, %s"):format(peer.name), kept[peer].bytes, 4096)
end

local many = alternate(peers, 1, measure_many)
show(("a client of %d, KiB of the process"):format(MANY), peers, many, "size", "none", "%.1f")
show("making it and fetching, ms", peers, many, "time", "none", "%.2f")

if smoke then
  print "\nsmoke: everything ran; counts this small are not judged"
else
  print(("\n| %-50s | %-24s | %-12s | %-6s |"):format("ratio", "figure", "target", ""))
  print "|---|---|---|---|"
  for _, line in ipairs(verdicts) do print(line) end
end
os.exit(smoke or not missed)
