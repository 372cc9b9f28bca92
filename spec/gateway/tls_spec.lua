-- nginx and the libcurl of its workers use the same OpenSSL, or should: G20.

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"
local socket = require "socket"

if not gateway.possible then return end

local bank = sandbox.bank()

describe("the OpenSSL of an nginx #nginx", function()
  it("G20: has no errors of a bank's connections in its queue", function()
    local silent = assert(socket.bind("127.0.0.1", 0))   -- takes connections, and says nothing
    local _, port = silent:getsockname()
    local gate = gateway.start{workers = 1, setup = {baseUrl = "https://127.0.0.1:" .. port,
      timeout = 0.5, attempts = 1}, http = ([[
        server {
          listen 127.0.0.1:$spare ssl;
          ssl_certificate %s;
          ssl_certificate_key %s;
          location / { return 200 "ok"; }
        }
      ]]):format(bank.files.serverCert, bank.files.serverKey), server = [[
        location /tls/ { proxy_ssl_session_reuse off; proxy_pass https://127.0.0.1:$spare; }
      ]]}
    for _ = 1, 5 do
      assert.equal(503, (gate:get("/api/")))
      for _ = 1, 3 do assert.equal(200, (gate:get("/tls/"))) end
    end
    silent:close()
    local log = gate:stop()
    assert.is_truthy(log:find("no token from the bank (timeout)", 1, true), log)
    assert.is_nil(log:find("stale global SSL error", 1, true), log)
    assert.is_nil(log:find("[alert]", 1, true), log)
  end)

  it("G20: nor has a script that has others of its own, which stay", function()
    local ffi = require "ffi"
    local found, crypto = pcall(ffi.load, "libcrypto.so.3")
    if not found then return pending "no OpenSSL 3 here" end
    ffi.cdef [[
      void ERR_new(void);
      void ERR_set_error(int lib, int reason, const char *format, ...);
      unsigned long ERR_get_error(void);
    ]]
    local function errors()
      local list = {}
      repeat list[#list + 1] = tonumber(crypto.ERR_get_error()) until list[#list] == 0
      return list
    end
    errors()
    local silent = assert(socket.bind("127.0.0.1", 0))
    local _, port = silent:getsockname()
    local function ask()
      local _, _, problem = require("corebank.auth").authenticate(gateway.options{
        baseUrl = "https://127.0.0.1:" .. port, timeout = 0.2, attempts = 1})
      assert.equal("timeout", problem.code)
    end
    ask()
    assert.same({0}, errors())
    silent:close()
    crypto.ERR_new()
    crypto.ERR_set_error(128, 7, nil)
    -- Without TLS: libcurl itself empties the queue when it begins a handshake.
    assert(require("corebank.auth").authenticate(gateway.options{
      baseUrl = bank:scenario{}.plainUrl}))
    assert.equal(2, #errors())
  end)
end)
