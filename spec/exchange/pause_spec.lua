-- A process, or its machine, that stands still when a request has just been sent: the pause is
-- taken off the token's life. spec/c/stall.c makes it stand still there.

local files = require "spec.support.files"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local socket = require "socket"
local survive = require "spec.support.survive"

local SIGCONT = 18

-- ASan's library must be the first of all, and ours would be before it.
if os.getenv("CBA_BUILD"):find("asan") then return end

-- Prints what is left of the last of so many tokens, or why there is none.
local SCRIPT = [[
local auth = require "corebank.auth"
local options = {baseUrl = arg[1], clientId = "id", clientSecret = "canary-secret",
  proxy = "", attempts = 1, timeout = 60}
local token, message, problem
for _ = 1, tonumber(arg[2]) do token, message, problem = auth.authenticate(options) end
print(token and token:remaining() or problem.code)
]]

local function state_of(pid)
  return files.content("/proc/" .. pid .. "/stat"):match("%) (%a)")
end

-- Lets a process that stopped itself go on, half a second later. Returns how long it stood, at
-- least.
local function let_go_on(pid)
  sandbox.await("it does not stop", function() return state_of(pid) == "T" end,
    survive.seconds(10))
  local since = socket.gettime()
  sandbox.await("time stands still", function() return socket.gettime() - since > 0.5 end)
  local stood = socket.gettime() - since
  process.kill(pid, SIGCONT)
  return stood
end

-- What a process prints that stalls at the nth request, its last, and how long it stood.
local function stalled(how, at, calls, connections)
  local raw, script = sandbox.raw{connections = connections}, os.tmpname()
  files.write(script, SCRIPT)
  local pipe = io.popen(("LD_PRELOAD=build/%s/spec/stall.so CBA_STALL=%s CBA_STALL_AT=%d %s %s"
    .. " %s %d 2>&1 & echo $!; wait"):format(os.getenv("CBA_BUILD"), how, at, os.getenv("CBA_LUA"),
    script, raw.url, calls))
  local pid = tonumber(pipe:read("*l"))
  local stood = how == "stop" and let_go_on(pid) or tonumber(how)
  local output = pipe:read("*a")
  pipe:close()
  os.remove(script)
  assert.equal(at, raw:posts(), output)
  raw:stop()
  return tonumber(output) or output, stood
end

local function valid_for(seconds)
  return {"send", sandbox.answer(
    ('{"accessToken":"canary-token-pause","tokenValiditySec":%d}'):format(seconds))}
end

local ANSWER = valid_for(100)
-- The nth request is the last, of so many calls.
local WAYS = {
  {"on a new connection", 1, 1, {{"read_request", ANSWER}}},
  {"on a kept one", 2, 2, {{"read_request", ANSWER, "read_request", ANSWER}}},
  {"sent again by libcurl, the kept connection being dead", 3, 2,
    {{"read_request", ANSWER, "read_request", "close"}, {"read_request", ANSWER}}},
}

-- Where no connection is kept, none can be dead.
if not survive.keepsConnections then WAYS[3] = nil end

for _, way in ipairs(WAYS) do
  local name, at, calls, connections = way[1], way[2], way[3], way[4]

  describe("a request " .. name .. " #transfer", function()
    it("S38: a process stopped after it was sent takes the pause off the token's life", function()
      local left, stood = stalled("stop", at, calls, connections)
      assert.is_true(left <= 100 - stood, left)
      assert.is_true(left > 100 - stood - survive.seconds(2), left)
    end)

    it("S40: so does a machine that was paused", function()
      local left, stood = stalled("60", at, calls, connections)
      assert.is_true(left <= 100 - stood, left)
      assert.is_true(left > 100 - stood - survive.seconds(2), left)
    end)
  end)
end

describe("a machine that was paused #transfer", function()
  it("S40: for as long as the token is valid: expired", function()
    assert.equal("expired\n", (stalled("60", 1, 1, {{"read_request", valid_for(60)}})))
  end)
end)
