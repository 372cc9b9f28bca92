--- The sandbox: a bank on a real nginx, servers that break the protocol, dead addresses.
--
--   local sandbox = require "spec.sandbox"
--   local bank = sandbox.bank()
--   local s = bank:scenario{ { status = 503 }, {} }    -- one step per POST, the last one for ever
--   ... authenticate against s.baseUrl ...
--   assert.equal(2, s:posts())
--
-- bank.lua describes the steps, raw.lua the actions of a raw server. Each process that is started
-- here reads a pipe from this process. So it ends when this process ends, however that happens.

local files = require "spec.support.files"
local http = require "socket.http"
local mime = require "mime"
local socket = require "socket"

local has_cjson, json = pcall(require, "cjson")
if not has_cjson then
  json = require "dkjson"
end

local HERE = debug.getinfo(1, "S").source:match "^@(.*)/[^/]*$"
local SERVERS = {
  "wronghost", "expired", "notyet", "selfsigned", "untrusted", "mtls",
  "tls10", "tls11", "tls12", "tls13", "http2",
}

local quoted = files.quoted

local sandbox = {}

local function contents(path)
  local file = io.open(path, "rb")
  local bytes = file and file:read "*a"
  if file then
    file:close()
  end
  return bytes
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

-- A command whose standard input ends when this process does or closes the result. It must not
-- run under what the specs may have preloaded into themselves: a sanitizer, a fake clock.
local function lifeline(command)
  return assert(io.popen("unset LD_PRELOAD; exec " .. command, "w"))
end

--- Polls `ready` until it gives a value, for 10 seconds or as many as are given.
function sandbox.await(what, ready, seconds)
  local deadline = socket.gettime() + (seconds or 10)
  local value = ready()
  while not value do
    assert(socket.gettime() < deadline, what)
    socket.sleep(0.002)
    value = ready()
  end
  return value
end
local await = sandbox.await

-- From the kernel: processes that share a bank, forked ones too, must not share names.
local function unique()
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(8)
  file:close()
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local Bank = {}
Bank.__index = Bank

local Scenario = {}
Scenario.__index = Scenario

local Raw = {}
Raw.__index = Raw

function Bank:administer(path, body)
  local answer, status = http.request(self.adminUrl .. path, body)
  assert(status == 200, "the sandbox's admin port answers " .. tostring(status))
  return json.decode(answer)
end

--- POSTs that reached the bank, all scenarios together.
function Bank:posts()
  return self:administer("/posts").posts
end

--- Requests to the API at the bank's own URL.
function Bank:calls()
  return self:administer("/calls").calls
end

-- A script as the admin port takes it. In a step's `redirect`, "/s/NAME" stands for the scenario.
local function script_of(steps, name)
  local wire = {}
  for i, step in ipairs(steps) do
    wire[i] = {}
    for field, value in pairs(step) do
      wire[i][field] = value
    end
    wire[i].body = step.body and (mime.b64(step.body) or "")
    wire[i].redirect = step.redirect and (step.redirect:gsub("/s/NAME", "/s/" .. name))
  end
  return json.encode(wire)
end

--- A bank with a script of its own.
function Bank:scenario(steps)
  local name = unique()
  self:administer("/steps/" .. name, script_of(steps or {}, name))
  local s = setmetatable({ bank = self, name = name }, Scenario)
  s.baseUrl = s:on "main"
  s.plainUrl = s:on "plain"
  return s
end

--- The scenario's base URL on another of the bank's servers.
function Scenario:on(server)
  return assert(self.bank.urls[server], server) .. "/s/" .. self.name
end

function Scenario:posts()
  return self.bank:administer("/posts/" .. self.name).posts
end

--- Gives the API a script: one step for each request, the last one for ever. sandbox/api.lua
-- describes the API and its steps.
function Scenario:api(steps)
  self.bank:administer("/api/" .. self.name, script_of(steps, self.name))
end

--- How many requests reached the API.
function Scenario:calls()
  return self.bank:administer("/calls/" .. self.name).calls
end

--- The API rejects the token that the bank issued last, until it issues another one.
function Scenario:revoke()
  self.bank:administer("/revoke/" .. self.name, "")
end

--- Everything that reached the API, in order: {method=, uri=, path= (below the base URL), query=,
-- headers= (lower-case name -> value), token=, body= (its first 64 KiB), bytes=, md5=, port=,
-- protocol= ("HTTP/2.0"), connection=, status= (of the answer), time=}
function Scenario:journal()
  local list = self.bank:administer("/journal/" .. self.name).journal
  for _, request in ipairs(list) do
    request.body = mime.unb64(request.body) or ""
  end
  return list
end

--- Transfers of money: {received= (POSTs read to their end), done=}
function Scenario:transfers()
  return self.bank:administer("/transfers/" .. self.name)
end

local function parse_headers(text)
  local headers = {}
  for written, value in text:gmatch "\n([^:\r\n]+):[ \t]*([^\r\n]*)" do
    local name = written:lower()
    headers[name] = headers[name] or {}
    table.insert(headers[name], value)
  end
  return headers
end

--- Everything that arrived, in order: {method=, uri=, header= (as sent, with the request line),
-- headers= (lower-case name -> list of values), body=, connection=, protocol=, time=}
function Scenario:requests()
  local list = self.bank:administer("/requests/" .. self.name).requests
  for _, request in ipairs(list) do
    request.body = mime.unb64(request.body) or ""
    request.headers = parse_headers(request.header)
  end
  return list
end

local function read_env(path)
  local text = contents(path)
  if not text then
    return nil
  end
  local env = {}
  for key, word in text:gmatch "SANDBOX_([%w_]+)='([^\n]*)'" do
    env[key] = word:gsub("'\\''", "'")
  end
  return env
end

local function start_bank()
  local dir = files.new_folder()
  local pipe = lifeline(quoted(HERE .. "/keep") .. " " .. quoted(dir))
  local env = await("the sandbox bank does not start", function()
    assert(exists(dir), "the sandbox bank did not start")
    return read_env(dir .. "/bank.env")
  end)
  return env, pipe
end

-- The pipe of a bank of our own lives as long as the bank does.
local function new_bank(env, pipe)
  local urls = { main = env.URL, plain = env.PLAIN_URL }
  for _, name in ipairs(SERVERS) do
    urls[name] = "https://localhost:" .. env[name:upper() .. "_PORT"]
  end
  return setmetatable({
    url = env.URL, plainUrl = env.PLAIN_URL, adminUrl = env.ADMIN_URL, urls = urls,
    dir = env.DIR, pid = tonumber(env.PID), pipe = pipe,
    clientId = env.CLIENT_ID, clientSecret = env.CLIENT_SECRET,
    caFile = env.CA, pin = env.PIN, wrongPin = env.WRONG_PIN,
    refusesInHandshake = env.MTLS_REFUSED_BY == "handshake",
    files = {
      serverCert = env.SERVER_CERT, serverKey = env.SERVER_KEY,
      clientCert = env.CLIENT_CERT, clientKey = env.CLIENT_KEY,
      clientKeyEncrypted = env.CLIENT_KEY_ENCRYPTED, clientKeyPassword = env.CLIENT_KEY_PASSWORD,
      wrongKey = env.WRONG_KEY, strangerCert = env.STRANGER_CERT, strangerKey = env.STRANGER_KEY,
      otherCa = env.OTHER_CA, emptyCa = env.EMPTY_CA, garbageCa = env.GARBAGE_CA,
    },
  }, Bank)
end

-- busted forgets loaded modules between files, but not what is in the registry.
local registry = debug.getregistry()

--- The bank of this test run: the one in $SANDBOX_DIR, else one that this process starts, once.
function sandbox.bank()
  local bank = registry["spec.sandbox.bank"]
  if not bank then
    local dir = os.getenv "SANDBOX_DIR"
    if dir then
      bank = new_bank(assert(read_env(dir .. "/bank.env"), "no bank in " .. dir))
    else
      bank = new_bank(start_bank())
    end
    registry["spec.sandbox.bank"] = bank
  end
  return bank
end

-- The interpreter that runs the specs is the first word of its own command line.
local function interpreter()
  local first = 0
  while arg and arg[first - 1] do
    first = first - 1
  end
  return first < 0 and arg[first] or "lua"
end

--- A value as Lua text: what is no table by itself, tables of such.
local function literal(value)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local parts = {}
  for key, item in pairs(value) do
    table.insert(parts, ("[%s]=%s"):format(literal(key), literal(item)))
  end
  return "{" .. table.concat(parts, ",") .. "}"
end
sandbox.literal = literal

-- A raw server that nobody holds on to must live until it is stopped all the same.
local running = {}

--- Starts a raw server: {connections = {actions, ...}, life = seconds}; on another address of this
-- machine, or a port of one's choice, with `host` and `port`; with a `certificate` other than the
-- bank's, of the bank's key
function sandbox.raw(script)
  local bank = sandbox.bank()
  local prefix = bank.dir .. "/raw-" .. unique()
  local file = assert(io.open(prefix .. ".script", "wb"))
  file:write("return ", literal{
    connections = script.connections, life = script.life, host = script.host, port = script.port,
    certificate = script.certificate or bank.files.serverCert, key = bank.files.serverKey,
  })
  file:close()
  local raw = setmetatable({ prefix = prefix }, Raw)
  raw.pipe = lifeline(("%s %s %s >%s 2>%s"):format(
    quoted(interpreter()), quoted(HERE .. "/raw.lua"), quoted(prefix),
    quoted(prefix .. ".port"), quoted(prefix .. ".errors")))
  raw.port = await("the raw server does not start", function()
    local errors = contents(prefix .. ".errors") or ""
    assert(errors == "", errors)
    return tonumber((contents(prefix .. ".port") or ""):match "^(%d+)\n")
  end)
  raw.url = "http://127.0.0.1:" .. raw.port
  raw.httpsUrl = "https://localhost:" .. raw.port
  running[raw] = true
  return raw
end

--- How many connections it has accepted.
function Raw:connections()
  return tonumber(contents(self.prefix .. ".counts"):match "^(%d+)" or 0)
end

--- How many POSTs it has read to their end.
function Raw:posts()
  return tonumber(contents(self.prefix .. ".counts"):match "^%d+ (%d+)" or 0)
end

--- The bytes the nth connection has received, decrypted; nil when there was none.
function Raw:received(n)
  return contents(self.prefix .. "." .. n)
end

function Raw:stop()
  if running[self] then
    running[self] = nil
    self.pipe:close()
  end
end

--- The bytes of a whole HTTP answer for a raw server to send: a good one, or with this body.
function sandbox.answer(body)
  body = body or [[{"accessToken":"canary-token-raw","tokenType":"Bearer","tokenValiditySec":3600}]]
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    .. #body .. "\r\n\r\n" .. body
end

local function listening(backlog)
  local server = assert(socket.tcp())
  assert(server:bind("127.0.0.1", 0))
  if backlog then
    assert(server:listen(backlog))
  end
  local _, port = server:getsockname()
  return server, tonumber(port)
end

--- An address where a connection is neither accepted nor refused: the backlog is full.
function sandbox.blackhole()
  local server, port = listening(0)
  local sockets = { server }
  repeat
    local client = assert(socket.tcp())
    client:settimeout(0.05)
    table.insert(sockets, client)
  until not client:connect("127.0.0.1", port)
  return {
    port = port,
    url = "http://127.0.0.1:" .. port,
    httpsUrl = "https://localhost:" .. port,
    stop = function()
      for _, each in ipairs(sockets) do
        each:close()
      end
    end,
  }
end

-- Bound and never listening: it refuses, and nobody else can get it.
local closed, closed_port

--- A port nobody listens on.
function sandbox.closedPort()
  if not closed then
    closed, closed_port = listening()
  end
  return closed_port
end

return sandbox
