--- A server that plays scripts byte by byte, for answers that a real nginx never gives.
--
--   lua spec/sandbox/raw.lua PREFIX      (spec/sandbox/init.lua starts it)
--
-- It reads the script from PREFIX.script, a Lua table:
--   connections     one list of actions per connection; the last list serves all later ones
--   certificate, key    files for starttls
--   life            seconds after which it ends by itself
-- It prints its port as the first line, appends what the nth connection received to PREFIX.n, and
-- keeps "connections posts" in PREFIX.counts. It ends when its standard input ends. This is a pipe
-- from the spec, so the server ends with the spec, even when the spec is killed.
--
-- Actions. Each is a list whose first item is its name, or a name alone:
--   read_request          a whole request, headers and Content-Length body
--   read N                N bytes
--   send BYTES            with every=S one byte per segment, S seconds apart (0: at once);
--                         with forever=true again and again until the peer hangs up
--   sleep S
--   starttls              TLS from here on; with alpn=NAME it selects that protocol
--   tunnel                be a proxy: read CONNECT, connect to that port on loopback, relay
--   silence               hold the connection open, say nothing more
--   close                 FIN, as after the last action; under TLS a truncation, for cqueues never
--                         sends a close_notify (the bank's nginx does)
--   reset                 RST; with nothing read before, a client may meet it while connecting
--   h2_...                HTTP/2: raw_http2.lua

local cqueues = require "cqueues"
local cqueues_socket = require "cqueues.socket"
local files = require "spec.support.files"
local luasocket = require "socket"
local raw_http2 = require "spec.sandbox.raw_http2"

local prefix = assert(arg[1], "usage: raw.lua PREFIX")
local script = assert(loadfile(prefix .. ".script"))()
local life = script.life or 60
local queue = cqueues.new()

-- A peer that goes away is an ordinary event here: an error value, not a thrown one.
cqueues_socket.onerror(function(_, _, why) return why end)

local counts = { connections = 0, posts = 0 }
local counts_file = assert(io.open(prefix .. ".counts", "wb"))
counts_file:setvbuf "no"

local function count(what)
  counts[what] = counts[what] + 1
  counts_file:seek "set"
  counts_file:write(("%d %d\n"):format(counts.connections, counts.posts))
end

local tls_contexts = {}

local function server_context(alpn)
  local tls_context = tls_contexts[alpn or ""]
  if not tls_context then
    local context = require "openssl.ssl.context"
    local pkey = require "openssl.pkey"
    local x509 = require "openssl.x509"
    tls_context = context.new("TLS", true)
    tls_contexts[alpn or ""] = tls_context
    tls_context:setCertificate(x509.new(files.content(script.certificate)))
    tls_context:setPrivateKey(pkey.new(files.content(script.key)))
    if alpn then
      tls_context:setAlpnSelect(function() return alpn end)
    end
  end
  return tls_context
end

-- Actions run in a coroutine per connection. One that returns false ends the connection.
local actions = {}

-- Adds what arrives to the peer's buffer; false when nothing more will.
local function receive(peer)
  local bytes = peer.socket:read(-65536)
  if not bytes then
    return false
  end
  peer.buffer = peer.buffer .. bytes
  peer.log:write(bytes)
  return true
end

local function take(peer, length)
  while #peer.buffer < length do
    if not receive(peer) then
      return nil
    end
  end
  local bytes = peer.buffer:sub(1, length)
  peer.buffer = peer.buffer:sub(length + 1)
  return bytes
end

local function take_request(peer)
  local head_end
  repeat
    head_end = select(2, peer.buffer:find("\r\n\r\n", 1, true))
  until head_end or not receive(peer)
  local head = head_end and take(peer, head_end)
  if not head then
    return nil
  end
  local length = head:lower():match "\r\ncontent%-length:%s*(%d+)"
  if not take(peer, tonumber(length or 0)) then
    return nil
  end
  if head:find "^POST " then
    count "posts"
  end
  return head
end

function actions.read_request(peer)
  return take_request(peer) ~= nil
end

function actions.read(peer, action)
  return take(peer, action[2]) ~= nil
end

function actions.send(peer, action)
  local bytes, every = action[2], action.every
  local piece = every and 1 or #bytes
  repeat
    for i = 1, #bytes, piece do
      if not peer.socket:write(bytes:sub(i, i + piece - 1)) then
        return false
      end
      -- Also at no interval: a fast reader must not keep the other coroutines waiting.
      cqueues.sleep(every or 0)
    end
  until not action.forever
end

function actions.sleep(_, action)
  cqueues.sleep(action[2])
end

function actions.starttls(peer, action)
  return peer.socket:starttls(server_context(action.alpn)) ~= nil
end

function actions.silence()
  cqueues.sleep(life)
end

function actions.close()
  return false
end

-- cqueues cannot set SO_LINGER; luasocket can, on a descriptor lent to it.
function actions.reset(peer)
  local lender = luasocket.tcp()
  lender:setfd(peer.socket:pollfd())
  lender:setoption("linger", { on = true, timeout = 0 })
  lender:setfd(-1)
  return false
end

local function relay(from, to)
  repeat
    local bytes = from:read(-65536)
  until not bytes or not to:write(bytes)
  to:shutdown "w"
end

-- Whatever host is asked for, it is on loopback: a spec may use any name, and nothing gets out.
function actions.tunnel(peer)
  local head = take_request(peer)
  local port = head and head:match "^CONNECT %S+:(%d+) "
  if not port then
    return false
  end
  local target = cqueues_socket.connect{ host = "127.0.0.1", port = tonumber(port), nodelay = true }
  target:setmode("bn", "bn")
  if not target:connect() then
    peer.socket:write "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
    return false
  end
  peer.socket:write "HTTP/1.1 200 Connection established\r\n\r\n"
  queue:wrap(relay, target, peer.socket)
  relay(peer.socket, target)
  return false
end

raw_http2(actions, take, function() count "posts" end)

local function play(peer, list)
  for _, action in ipairs(list) do
    if actions[action[1]](peer, action) == false then
      return
    end
  end
end

local function serve(socket, n)
  local peer = { socket = socket, buffer = "", log = assert(io.open(prefix .. "." .. n, "wb")) }
  peer.log:setvbuf "no"
  socket:setmode("bn", "bn")
  play(peer, script.connections[math.min(n, #script.connections)])
  socket:close()
  peer.log:close()
end

local function listen(server)
  while true do
    local socket = server:accept{ nodelay = true }
    count "connections"
    queue:wrap(serve, socket, counts.connections)
  end
end

local function end_with_stdin()
  cqueues.poll{ pollfd = 0, events = "r" }
  os.exit(0)
end

local function end_of_life()
  cqueues.sleep(life)
  os.exit(0)
end

for _, list in ipairs(script.connections) do
  for i, action in ipairs(list) do
    list[i] = type(action) == "string" and { action } or action
    assert(actions[list[i][1]], "no such action: " .. tostring(list[i][1]))
  end
end

local server = cqueues_socket.listen{
  host = script.host or "127.0.0.1", port = script.port or 0,
}
assert(server:listen())
local _, _, port = server:localname()
queue:wrap(listen, server)
queue:wrap(end_with_stdin)
queue:wrap(end_of_life)
print(port)
io.stdout:flush()
for message in queue:errors() do
  io.stderr:write(message, "\n")
end
