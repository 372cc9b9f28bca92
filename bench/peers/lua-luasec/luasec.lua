-- LuaSec's https.request with lua-cjson. It keeps no connection: each exchange makes one.

local cjson = require "cjson"
local https = require "ssl.https"
local ltn12 = require "ltn12"
local modes = require "modes"
local socket = require "socket"

local URL = os.getenv "COREBANK_BASE_URL" .. "/api/auth/v1/authenticate"
local CA = os.getenv "COREBANK_CA_FILE"

local function exchange()
  local body = cjson.encode{
    clientId = os.getenv "COREBANK_CLIENT_ID", clientSecret = os.getenv "COREBANK_CLIENT_SECRET",
  }
  local parts = {}
  local ok, status = https.request{
    method = "POST", url = URL, source = ltn12.source.string(body), sink = ltn12.sink.table(parts),
    headers = {["content-type"] = "application/json", ["content-length"] = #body},
    protocol = "any", options = {"all", "no_sslv2", "no_sslv3", "no_tlsv1", "no_tlsv1_1"},
    verify = "peer", cafile = CA,
  }
  assert(ok and status == 200, status)
  return assert(cjson.decode(table.concat(parts)).accessToken)
end

modes.run{exchange = exchange, now = socket.gettime}
