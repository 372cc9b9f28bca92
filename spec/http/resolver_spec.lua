-- A name server that loses packets, and the other steps of a connection that take too long: the
-- message says which step was under way and which limit to raise.

local command = require "spec.support.command"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local user = command.user(before_each, after_each)

-- Answers every name with 127.0.0.1, but loses the first `lost` packets.
local SERVER = [[
local socket = require "socket"
local server = assert(socket.udp())
assert(server:setsockname("127.0.0.1", 53))
io.open("%s/ready", "w"):close()
local seen = 0
while true do
  local query, from, port = server:receivefrom()
  seen = seen + 1
  if query and seen > %d then
    local last = query:find("%%z", 13) + 4   -- the end of the question
    local kind = query:byte(last - 2)
    local question = query:sub(13, last)
    local answer = kind == 1 and "\192\12\0\1\0\1\0\0\0\60\0\4\127\0\0\1" or ""
    server:sendto(query:sub(1, 2) .. "\129\128\0\1\0" .. string.char(kind == 1 and 1 or 0)
      .. "\0\0\0\0" .. question .. answer, from, port)
  end
end
]]

-- A network and a resolver of its own; the machine's are as they were.
local SCENE = [[
ip link set lo up
mount --bind "$1/resolv.conf" /etc/resolv.conf
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
unset LD_PRELOAD
"$2" "$1/server.lua" &
server=$!
while ! [ -e "$1/ready" ]; do sleep 0.02; done
sh "$1/line" >"$1/out" 2>&1; echo "status $?" >>"$1/out"
kill $server
]]

-- What the command prints where the resolver asks again after a second and the server loses so many
-- packets. Nil where this user may not make such a scene.
local function with_name_server(lost, words)
  local home = user.home
  local lua = os.getenv("CBA_BUILD"):match "^[^-]+"
  files.write(home .. "/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:5\n")
  files.write(home .. "/nsswitch.conf", "hosts: dns\n")
  files.write(home .. "/server.lua", SERVER:format(home, lost))
  files.write(home .. "/scene", SCENE)
  files.write(home .. "/line", user:line(words))
  os.execute(("unshare -rmn sh %s/scene %s %s >%s/fault 2>&1"):format(home, home, lua, home))
  local file = io.open(home .. "/out")
  if not file then
    pending("no network of one's own can be made here: " .. files.content(home .. "/fault"))
    return nil
  end
  local text = file:read "*a"
  file:close()
  return text
end

local function words(connect_timeout, name)
  return {name or "token", "--no-store", "--base-url", "https://bank.test:1", "--attempts", "1",
    "--connect-timeout", tostring(connect_timeout)}
end

-- A name that is looked up once costs two packets: one for each family of addresses.
local FIRST_LOST = 2

describe("S24: a name server that loses the first packet #transfer #slow", function()
  it("makes --connect-timeout the one to raise, and names the name", function()
    local said = with_name_server(FIRST_LOST, words(survive.seconds(0.5)))
    if not said then return end
    assert.is_truthy(said:find("the host name of https://bank.test:1 was not found in time; raise "
      .. "--connect-timeout (", 1, true), said)
    assert.is_nil(said:find("--timeout", 1, true), said)
    assert.is_truthy(said:find("status 4", 1, true), said)
  end)

  it("is waited for by a longer --connect-timeout", function()
    local said = with_name_server(FIRST_LOST, words(survive.seconds(6)))
    if not said then return end
    assert.is_truthy(said:find("cannot connect to https://bank.test:1 (Connection refused)", 1,
      true), said)
  end)

  it("is the doctor's finding, at the name", function()
    local said = with_name_server(FIRST_LOST, words(survive.seconds(0.5), "doctor"))
    if not said then return end
    assert.is_truthy(said:find "failed +resolve +the host name of https://bank.test:1 was not f",
      said)
    assert.is_truthy(said:find("raise --connect-timeout", 1, true), said)
    assert.is_truthy(said:find("this machine's DNS", 1, true), said)
  end)

  it("makes --timeout the one to raise when that is the shorter one", function()
    local line = words(9)
    line[#line + 1], line[#line + 2] = "--timeout", tostring(survive.seconds(0.5))
    local said = with_name_server(FIRST_LOST, line)
    if not said then return end
    assert.is_truthy(said:find("was not found in time; raise --timeout (", 1, true), said)
  end)

  it("is blamed for a proxy's name, too", function()
    local line = words(survive.seconds(0.5))
    line[#line + 1], line[#line + 2] = "--proxy", "http://proxy.test:3128"
    local said = with_name_server(FIRST_LOST, line)
    if not said then return end
    assert.is_truthy(said:find("the host name of the proxy http://proxy.test:3128 was not found in "
      .. "time; raise --connect-timeout", 1, true), said)
  end)
end)

describe("S24: the time is over #transfer #slow", function()
  local function case(options, message)
    options.noProxy = options.noProxy or "*"
    return survive.case{options = options, code = "timeout", message = message}
  end

  it("while connecting: connectTimeout", function()
    local hole = sandbox.blackhole()
    case({baseUrl = hole.httpsUrl, connectTimeout = 0.3},
      "^cannot connect to https://localhost:%d+ in time; raise connectTimeout %(0.3 s%)$")
    case({baseUrl = hole.httpsUrl, connectTimeout = 5, timeout = 0.3},
      "^cannot connect to https://localhost:%d+ in time; raise timeout %(0.3 s%)$")
    hole.stop()
  end)

  it("in the handshake: connectTimeout", function()
    local raw = sandbox.raw{connections = {{"silence"}}}
    case({baseUrl = raw.httpsUrl, connectTimeout = 0.3},
      "^the TLS handshake with https://localhost:%d+ was not finished in time; "
      .. "raise connectTimeout %(0.3 s%)$")
    raw:stop()
  end)

  it("in the handshake behind a proxy: the bank's, and connectTimeout", function()
    local raw, proxy = sandbox.raw{connections = {{"silence"}}},
      sandbox.raw{connections = {{"tunnel"}}}
    case({baseUrl = raw.httpsUrl, proxy = proxy.url, noProxy = "", connectTimeout = 0.5},
      "^the TLS handshake with https://localhost:" .. raw.port .. " was not")
    raw:stop()
    proxy:stop()
  end)

  it("while the answer is waited for: timeout, on a kept connection, too", function()
    local raw = sandbox.raw{connections = {{"starttls", "read_request", "silence"}}}
    case({baseUrl = raw.httpsUrl, timeout = survive.seconds(0.6), connectTimeout = 0.5},
      "^no answer from https://localhost:%d+ in time; raise timeout %(")
    raw:stop()
    local s = bank:scenario{{}, {delay = 30}}
    survive.case{options = {baseUrl = s.baseUrl}}
    case({baseUrl = s.baseUrl, timeout = survive.seconds(0.6)},
      "^no answer from https://localhost:%d+/?.* in time; raise timeout %(")
  end)

  it("in the command: the flag, and no other", function()
    local raw = sandbox.raw{connections = {{"silence"}}}
    local function run(...)
      local line = {"token", "--no-store", "--base-url", raw.httpsUrl, "--attempts", "1", ...}
      return user:run(line)
    end
    local connecting = run("--connect-timeout", "0.3")
    local whole = run("--connect-timeout", "9", "--timeout", "0.3")
    raw:stop()
    assert.equal(4, connecting.status)
    assert.is_truthy(connecting.err:find("raise --connect-timeout (0.3 s)", 1, true))
    assert.is_nil(connecting.err:find("--timeout", 1, true), connecting.err)
    assert.equal(4, whole.status)
    assert.is_truthy(whole.err:find("raise --timeout (0.3 s)", 1, true), whole.err)
    assert.is_nil(whole.err:find("--connect-timeout", 1, true), whole.err)
  end)
end)
