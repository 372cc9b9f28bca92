--- run.lua OUT [--smoke] [--only PART,PART] [--rounds N]
--
-- Measures this library beside what others use, and judges the figures; script/bench prepares
-- everything. bench/harness/peers.lua finds the peers, each file of bench/parts measures one thing,
-- bench/harness/sizes.lua says how much of it. Each peer is a program that is told what to do:
--
--   start                  load what it needs, and end
--   once                   get one token, and print it
--   warm COUNT             get one, then COUNT more: prints their wall and CPU seconds
--   turns COUNT            get one, then COUNT for each line of standard input: prints their wall
--                          seconds each time
--   memory COUNT EARLY     get COUNT: prints peak KiB after EARLY of them and after all
--   kept COUNT             ask COUNT times for a token that is there: prints nanoseconds for each
--   clients COUNT CALLS PARALLEL
--                          keep COUNT tokens, fetched PARALLEL at a time: prints KiB of the
--                          process, milliseconds for fetching each, nanoseconds for a call that
--                          finds one, over about CALLS
--   cold COUNT             COUNT callers at once, and no token: prints wall and CPU seconds
--   many COUNT PARALLEL    get COUNT tokens, each by a POST, PARALLEL at a time
--   get-warm, get-turns, get-memory, get-many
--                          the same, with a GET of $BENCH_GET in place of each exchange, and one
--                          token that is got first
--   get-into BYTES FILE    get a statement of BYTES into FILE: prints seconds and peak KiB
--
-- All is written into OUT/results. A whole run that comes to its end replaces bench/results by it.

local machine = require "bench.harness.machine"
local peers = require "bench.harness.peers"
local plots = require "bench.harness.plots"
local process = require "bench.harness.process"
local report = require "bench.harness.report"
local sandbox = require "spec.sandbox"
local sizes = require "bench.harness.sizes"

-- In the order of the report
local PARTS = {"once", "stored", "warm", "kept", "cold", "many", "request", "clients", "memory",
  "json", "gateway", "fleet"}

local function refuse(what)
  io.stderr:write("script/bench: ", what, "\n")
  os.exit(2)
end

local function read_parts(text)
  local known, list = {}, {}
  for _, name in ipairs(PARTS) do known[name] = true end
  for name in text:gmatch "[^,]+" do
    if not known[name] then
      refuse(("there is no part '%s'; there are %s"):format(name, table.concat(PARTS, ", ")))
    end
    list[#list + 1] = name
  end
  if #list == 0 then refuse("--only needs parts: some of " .. table.concat(PARTS, ",")) end
  return list
end

local function read_rounds(text)
  local rounds = tonumber(text)
  if not rounds or rounds < 1 or rounds % 1 ~= 0 then
    refuse "--rounds is a whole number of at least 1"
  end
  return rounds
end

local function read_arguments()
  local given, i = {out = arg[1]}, 2
  while arg[i] do
    local name, value = arg[i], arg[i + 1] or ""
    if name == "--smoke" then
      given.smoke = true
    elseif name == "--only" then
      given.only, i = read_parts(value), i + 1
    elseif name == "--rounds" then
      given.rounds, i = read_rounds(value), i + 1
    else
      refuse(("unknown argument '%s'; see script/bench --help"):format(name))
    end
    i = i + 1
  end
  return given
end

local function say_head(run, left_out)
  report.say "# Results of script/bench\n"
  report.say "`script/bench` writes this file. Do not edit it by hand.\n"
  report.say("- measured: " .. machine.now())
  report.say("- commit: " .. machine.commit())
  report.say("- machine: " .. machine.description())
  report.say(("- figures: the median of %d rounds, unless another number is given; in parentheses "
    .. "the smallest and the largest value. Peers take turns within a round"):format(
      run.sizes.rounds))
  report.say "- the bank: the sandbox of the specs, nginx on the same machine, over TLS 1.3"
  for _, peer in ipairs(left_out) do
    report.say(("- %s is left out: %s"):format(peer.title, peer.obstacle))
  end
  report.say ""
  local rows = {}
  for _, peer in ipairs(run.peers) do rows[#rows + 1] = {peer.title, peer.version} end
  report.table({"peer", "version"}, rows)
end

-- Seconds of an exchange, roughly; better known once bench/parts/warm.lua has measured it.
local paces = {}
local function pace(peer)
  paces[peer] = paces[peer] or peer:run("warm", 50):match "%S+" / 50
  return paces[peer]
end

-- Pictures, unless there is no gnuplot; the text is complete without them.
local function add_plots(run, folder)
  local possible = plots.possible()
  if not possible then report.say "\nThere is no gnuplot, so there are no pictures." end
  local function show(name, title)
    report.say(("\n![%s](%s.svg)"):format(title, name))
    return ("%s/%s.svg"):format(folder, name)
  end
  function run.plot(what)
    if possible then plots.compare(show(what.name, what.title), what) end
  end
  function run.plot_lines(name, title, ...)
    if possible then plots.lines(show(name, title), title, ...) end
  end
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
end

-- What a smoke run does not try it cannot vouch for. Only npm's registry may be out of reach.
local function check_all_are_there(left_out)
  for _, peer in ipairs(left_out) do
    if not peer.unreachable then
      error(("%s was not tried: %s"):format(peer.title, peer.obstacle), 0)
    end
  end
end

local function replace_results(folder)
  process.output{"rm", "-rf", "bench/results"}
  process.output{"cp", "-R", folder, "bench/results"}
end

local given = read_arguments()
local whole = not (given.smoke or given.only or given.rounds)
local folder = given.out .. "/results"
process.output{"rm", "-rf", folder}
process.output{"mkdir", "-p", folder}

local found, left_out = peers.find(given.out)
local run = {out = given.out, peers = found, pace = pace, paces = paces, bank = sandbox.bank(),
  sizes = given.smoke and sizes.smoke or sizes.real}
run.sizes.rounds = given.rounds or run.sizes.rounds
say_head(run, left_out)
if given.smoke then check_all_are_there(left_out) end
add_plots(run, folder)
for _, name in ipairs(given.only or PARTS) do
  local began = os.time()
  local ok, fault = xpcall(require("bench.parts." .. name), debug.traceback, run)
  if not ok then
    write(given.out .. "/unfinished.md", report.text())
    error(("%s\n%s/unfinished.md has what was measured until then"):format(fault, given.out), 0)
  end
  report.say(("\n(This part took %d s.)"):format(os.time() - began))
end

if given.smoke then
  report.say "\nsmoke: everything ran; counts this small are not judged"
else
  if whole then
    report.judge("The whole run on two processors, minutes", {machine.minutes()}, 15)
  end
  report.verdicts()
end
write(folder .. "/README.md", report.text())
if whole then replace_results(folder) end
os.exit(given.smoke or not report.missed)
