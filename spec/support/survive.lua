--- Runs one call, and checks what must hold after every fault (FAULTS I1 to I9).

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"

local GRACE = 0.25        -- seconds a call may take beyond its timeout
local SLOW = tonumber(os.getenv("CBA_SLOWDOWN") or 1)   -- valgrind and qemu are slow
local KEPT_CONNECTIONS = 2  -- sockets a case may leave in libcurl's connection cache

local survive = {}

survive.ABSENT = {}   -- in place of an option's value: leave that option out

--- Whether it is libcurl 7.80 or later. Earlier ones do not decode the host name of a URL, or look
--- at trailers.
survive.isLibcurl780 = not core.libraries():find "^libcurl/7%.7"

--- Whether this build keeps connections. With an earlier libcurl it keeps none.
survive.keepsConnections = survive.isLibcurl780

--- Whether it is libcurl 8 or later, which reads malformed answers in other ways.
survive.isLibcurl8 = not core.libraries():find "^libcurl/7"

--- Whether requests can use HTTP/2. They do where connections are kept.
survive.hasHttp2 = core.has_http2()

--- Seconds, made longer where the machine is known to be slow.
function survive.seconds(n) return n * SLOW end

local function signal_state()
  local lines = {}
  for line in io.lines("/proc/self/status") do
    -- The C library keeps two real-time signals above 31 to itself and sets them up with the first
    -- thread: only the lower 32 bits are a program's own.
    local name, low = line:match("^(Sig[BIC]%a+):%s*%x+(%x%x%x%x%x%x%x%x)$")
    if name then lines[#lines + 1] = name .. (low:gsub("^[89a-f]", "0")) end
  end
  return table.concat(lines, " ")
end

local warm = false

local function state()
  -- The first call of all makes the engine, which stays.
  if not warm then warm = assert(auth.authenticate(survive.options())) end
  collectgarbage()
  collectgarbage()
  return {
    files = files.count_entries("/proc/self/fd"),
    threads = files.count_entries("/proc/self/task"),
    signals = signal_state(),
  }
end

local canaries = {"canary%-secret", "canary%-token", "canary%-passphrase"}

local function kib_of(field)
  return tonumber(files.content("/proc/self/status"):match(field .. ":%s*(%d+)"))
end

--- The most memory this process ever had, in KiB.
function survive.peak_memory() return kib_of("VmHWM") end

--- The memory it has now, in KiB, less what Lua can give back.
function survive.memory()
  collectgarbage()
  collectgarbage()
  return kib_of("VmRSS")
end

--- Fails when a canary can be seen in `value`, at any depth that pairs and tostring reach.
function survive.no_canary(value, seen)
  seen = seen or {}
  if seen[value] then return end
  local shown = tostring(value)
  for _, canary in ipairs(canaries) do
    assert(not shown:find(canary), "a canary is visible in: " .. shown)
  end
  if type(value) == "table" then
    seen[value] = true
    for k, v in pairs(value) do
      survive.no_canary(k, seen)
      survive.no_canary(v, seen)
    end
    survive.no_canary(getmetatable(value), seen)
  end
end

--- The sandbox bank's credentials and trust, one try, a short timeout; `changes` over that.
function survive.options(changes)
  local bank = sandbox.bank()
  local options = {
    baseUrl = bank.url, clientId = bank.clientId, clientSecret = bank.clientSecret,
    caFile = bank.caFile, attempts = 1, timeout = survive.seconds(5),
    connectTimeout = survive.seconds(3),
  }
  for name, value in pairs(changes or {}) do
    if value ~= survive.ABSENT then options[name] = value else options[name] = nil end
  end
  return options
end

local function check_outcome(case, token, message, problem)
  survive.no_canary{token, message, problem}
  if not case.code then
    assert(token, message)
    assert(token.accessToken ~= "" and not token:expired(), "a usable token")
    return
  end
  assert(token == nil, "a problem was expected: " .. tostring(case.code))
  local codes = type(case.code) == "table" and case.code or {case.code}
  local found = false
  for _, code in ipairs(codes) do found = found or code == problem.code end
  assert(found, ("code is %s, not %s: %s"):format(problem.code, table.concat(codes, "/"), message))
  assert(message == problem.message and tostring(problem) == message, "one message")
  assert(not message:find("%c"), "a message is one line")
  if case.message then assert(message:find(case.message), message) end
end

--- Runs one authenticate call and checks what must be seen and what must hold.
-- options: over survive.options; code: the problem's code (or a list of allowed ones), nil for
-- success; posts and count: how many POSTs the server must have seen; message: a pattern; within:
-- seconds, default the call's timeout.
-- Returns what the call returned first or third, and how long it took.
function survive.case(case)
  local options = survive.options(case.options)
  local events = {}
  options.onEvent = function(event) events[#events + 1] = event end
  local before = state()
  local counted = case.count and case.count() or 0

  local started = core.boot()
  local token, message, problem = auth.authenticate(options)
  local took = core.boot() - started

  check_outcome(case, token, message, problem)
  survive.no_canary(events)
  assert(#events == 1 and events[1].name == (token and "fetched" or "failed"), "one event")
  local limit = survive.seconds(case.within or options.timeout) + GRACE * SLOW
  assert(took <= limit, ("took %.2f s, limit %.2f s"):format(took, limit))
  if case.posts then
    local posts = case.count() - counted
    assert(posts == case.posts, ("%d POSTs, not %d"):format(posts, case.posts))
  end
  assert(auth.authenticate(survive.options{attempts = 3}))   -- the same engine still works
  local after = state()
  assert(after.files <= before.files + KEPT_CONNECTIONS,
    ("file descriptors grew from %d to %d"):format(before.files, after.files))
  assert(after.threads <= before.threads, "threads grew")
  assert(after.signals == before.signals, "signal handlers or masks changed")
  return token or problem, took
end

--- A case at the sandbox bank, which plays these steps. Also returns the bank's scenario.
function survive.answered(steps, case)
  local scenario = sandbox.bank():scenario(steps)
  case.options = case.options or {}
  case.options.baseUrl = case.options.baseUrl or scenario.baseUrl
  case.count = function() return scenario:posts() end
  local result, took = survive.case(case)
  return result, scenario, took
end

--- A case at a server that does these things with each connection.
function survive.raw_answered(actions, case)
  local raw = sandbox.raw{connections = {actions}}
  case.options = case.options or {}
  case.options.baseUrl = raw.url
  case.count = function() return raw:posts() end
  local result, took = survive.case(case)
  raw:stop()
  return result, took
end

return survive
