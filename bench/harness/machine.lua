--- Where and when.

local process = require "bench.harness.process"

local machine = {}

local function processor()
  local file = io.open "/proc/cpuinfo"
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text:match "model name%s*:%s*([^\n]+)" or "processor not named"
end

-- Asked by script/bench, before there was anything of ours.
local function load_before()
  return tonumber(os.getenv "BENCH_LOAD") or 0
end

function machine.now()
  return os.date "!%Y-%m-%d %H:%M UTC"
end

--- The commit that is measured.
function machine.commit()
  local said, good = process.try{"git", "describe", "--always", "--dirty=, and changes to it"}
  return good and process.first_line(said) or "not known: this is no checkout"
end

--- Minutes since script/bench began.
function machine.minutes()
  return (os.time() - assert(tonumber(os.getenv "BENCH_BEGAN"))) / 60
end

--- What it is, and how busy others kept it before anything was measured.
function machine.description()
  return ("%s, %s processors, %s; load before the run %.2f"):format(
    process.first_line(process.output{"uname", "-srm"}),
    process.first_line(process.output{"nproc"}), processor(), load_before())
end

return machine
