-- lua-http with lua-cjson. Its requests make a connection each; on a connection of one's own it
-- sends one request after the other, which is what is done here.

local cjson = require "cjson"
local client = require "http.client"
local context = require "openssl.ssl.context"
local cqueues = require "cqueues"
local headers = require "http.headers"
local modes = require "modes"
local store = require "openssl.x509.store"
local tls = require "http.tls"
local verify = require "openssl.x509.verify_param"

local HOST, PORT = os.getenv("COREBANK_BASE_URL"):match "^https://([^:/]+):(%d+)"

local function trust()
  local ctx = tls.new_client_context()
  ctx:setStore(store.new():add(os.getenv "COREBANK_CA_FILE"))
  ctx:setVerify(context.VERIFY_PEER)
  local parameters = verify.new()
  parameters:setHost(HOST)
  ctx:setParam(parameters)
  return ctx
end

local connection

local function connected()
  connection = connection or assert(client.connect({
    host = HOST, port = tonumber(PORT), tls = true, ctx = trust(), version = 1.1, sendname = HOST,
  }, 10))
  return connection
end

local function exchange()
  local body = cjson.encode{
    clientId = os.getenv "COREBANK_CLIENT_ID", clientSecret = os.getenv "COREBANK_CLIENT_SECRET",
  }
  local head = headers.new()
  head:append(":method", "POST")
  head:append(":scheme", "https")
  head:append(":authority", HOST .. ":" .. PORT)
  head:append(":path", "/api/auth/v1/authenticate")
  head:append("content-type", "application/json")
  head:append("content-length", tostring(#body))
  local stream = connected():new_stream()
  assert(stream:write_headers(head, false, 10))
  assert(stream:write_chunk(body, true, 10))
  local answer = assert(stream:get_headers(10))
  assert(answer:get ":status" == "200", answer:get ":status")
  return assert(cjson.decode(assert(stream:get_body_as_string(10))).accessToken)
end

modes.run{exchange = exchange, now = cqueues.monotime}
