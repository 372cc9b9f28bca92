-- FAULTS, "TLS": whom we talk to and how. Run with both builds of libcurl.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local pem = bank.files

local function tls_case(options, case)
  case = case or {code = "tls", posts = 0}
  case.options = options
  case.count = function() return bank:posts() end
  return survive.case(case)
end

describe("the server's certificate #tls", function()
  for _, fault in ipairs{"selfsigned", "untrusted", "expired", "notyet", "wronghost"} do
    it(fault .. ": tls, nothing sent", function()
      local problem = tls_case({baseUrl = bank.urls[fault], attempts = 3})
      assert.equal(1, problem.attempts)
      assert.is_false(problem.retryable)
      assert.is_truthy(problem.message:find("caFile", 1, true), problem.message)
    end)
  end

  it("for a name is not good for an address that is not in it", function()
    tls_case{baseUrl = bank.urls.wronghost:gsub("localhost", "127.0.0.1")}
  end)

  it("is not trusted by another bank's root", function()
    tls_case{caFile = pem.otherCa}
  end)
end)

describe("the trust store #tls", function()
  local stores = {missing = "/no/such/ca.pem", empty = pem.emptyCa, garbage = pem.garbageCa}
  for kind, path in pairs(stores) do
    it(kind .. ": tls, and the message names the option", function()
      tls_case({caFile = path}, {code = "tls", posts = 0, message = "caFile"})
    end)
  end

  it("can be a folder of hashed certificates", function()
    local dir = os.tmpname()
    os.remove(dir)
    assert(os.execute(("mkdir '%s' && cp '%s' '%s/bank.pem' && openssl rehash '%s'"):format(
      dir, bank.caFile, dir, dir)))
    local ok, why = pcall(tls_case, {caPath = dir, caFile = pem.otherCa}, {})
    os.execute(("rm -r '%s'"):format(dir))
    assert.is_true(ok, why)
  end)
end)

-- The folder where Debian's libcurl looks for authorities by itself, and for a file of all of them.
local SYSTEM = "/etc/ssl/certs"

describe("what is trusted #tls", function()
  local dir

  before_each(function()
    dir = os.tmpname()
    os.remove(dir)
    assert(os.execute(("mkdir -p '%s/system' '%s/other'"):format(dir, dir)))
    assert(os.execute(("cp '%s' '%s/system/ca-certificates.crt' && cp '%s' '%s/other/ca.pem'")
      :format(bank.caFile, dir, pem.otherCa, dir)))
    assert(os.execute(("openssl rehash '%s/system' '%s/other'"):format(dir, dir)))
  end)

  after_each(function() os.execute(("rm -r '%s'"):format(dir)) end)

  -- What a script says that runs where all the system trusts is this bank; nothing, where that
  -- cannot be arranged.
  local function where_system_trusts_bank(script)
    files.write(dir .. "/script.lua", script)
    local pipe = assert(io.popen(
      ("unshare -rm sh -c \"mount --bind '%s/system' %s && exec %s '%s/script.lua'\" 2>&1"):format(
        dir, SYSTEM, os.getenv "CBA_LUA", dir)))
    local said = pipe:read "*a"
    pipe:close()
    return said
  end

  it("is the caller's file or folder, and not the system's besides", function()
    if where_system_trusts_bank "print 'yes'" ~= "yes\n" then
      pending("nothing can be mounted over " .. SYSTEM)
      return
    end
    assert.equal("token\ntls\ntls\n", where_system_trusts_bank(([[
      local auth = require "corebank.auth"
      for _, trust in ipairs{{}, {caFile = "%s"}, {caPath = "%s/other"}} do
        local token, _, problem = auth.authenticate{baseUrl = "%s", clientId = "%s",
          clientSecret = "%s", caFile = trust.caFile, caPath = trust.caPath}
        print(token and "token" or problem.code)
      end
    ]]):format(pem.otherCa, dir, bank.url, bank.clientId, bank.clientSecret)))
  end)

  it("is what a file says when a connection is made, and not what it said before", function()
    local path = dir .. "/replaced.pem"
    local function trust(from) assert(os.execute(("cp '%s' '%s'"):format(from, path))) end
    -- Each for itself, or the first connection would serve both.
    local one, two = bank:scenario{}, bank.urls.tls13
    trust(bank.caFile)
    assert(auth.authenticate(survive.options{caFile = path, baseUrl = one.baseUrl}))
    trust(pem.otherCa)
    local _, _, problem = auth.authenticate(survive.options{caFile = path, baseUrl = two})
    assert.equal("tls", problem.code)
  end)
end)

describe("the TLS version #tls", function()
  for _, old in ipairs{"tls10", "tls11"} do
    it(old .. " only: tls", function() tls_case{baseUrl = bank.urls[old]} end)
  end

  it("that is offered is 1.2 at least, whatever the library's own configuration allows", function()
    local raw = sandbox.raw{connections = {{{"read", 200}, "close"}}}
    auth.authenticate(survive.options{baseUrl = raw.httpsUrl})
    local hello = raw:received(1)
    raw:stop()
    -- RFC 8446, section 4.2.1: supported_versions (43), its length, the versions' length, versions
    local at, _, length = hello:find("%z%+%z.(.)")
    assert.is_truthy(at)
    local versions = hello:sub(at + 5, at + 4 + length:byte())
    assert.is_truthy(versions:find("\3\3", 1, true) and versions:find("\3\4", 1, true))
    assert.is_nil(versions:find("\3[\1\2]"))
  end)

  for _, good in ipairs{"tls12", "tls13"} do
    it(good .. " only: success", function() tls_case({baseUrl = bank.urls[good]}, {}) end)
  end

  it("1.2 is refused with minTls 1.3, and 1.3 is taken", function()
    tls_case{baseUrl = bank.urls.tls12, minTls = "1.3"}
    tls_case({baseUrl = bank.urls.tls13, minTls = "1.3"}, {})
  end)
end)

describe("a pinned key #tls", function()
  it("right: success", function() tls_case({pinnedKey = bank.pin}, {}) end)

  it("wrong: tls, also after a success on a kept connection", function()
    tls_case({pinnedKey = bank.wrongPin}, {code = "tls", posts = 0, message = "pinnedKey"})
  end)

  it("right as a backup: success", function()
    tls_case({pinnedKey = bank.wrongPin .. ";" .. bank.pin}, {})
  end)
end)

describe("mutual TLS #tls", function()
  local url = bank.urls.mtls
  -- The server's alert races its reset of the connection. libcurl with GnuTLS may see only the
  -- latter, and a reset of a connection that looked well is a broken network.
  local absent = os.getenv("CBA_BUILD"):find("gnutls") and {"tls", "network"} or "tls"
  -- nginx before 1.19.4 answers 400.
  if not bank.refusesInHandshake then absent = "denied" end

  it("without a certificate: tls", function()
    tls_case({baseUrl = url}, {code = absent, posts = 0})
  end)

  it("with the right one: success", function()
    tls_case({baseUrl = url, clientCert = pem.clientCert, clientKey = pem.clientKey}, {})
  end)

  it("does not lend its connection to a caller without the certificate", function()
    tls_case({baseUrl = url, clientCert = pem.clientCert, clientKey = pem.clientKey}, {})
    tls_case({baseUrl = url}, {code = absent, posts = 0})
  end)

  it("with a passphrase: success; with a wrong one, or none: tls, and it is not shown", function()
    local options = {baseUrl = url, clientCert = pem.clientCert,
      clientKey = pem.clientKeyEncrypted, clientKeyPassword = pem.clientKeyPassword}
    tls_case(options, {})
    options.clientKeyPassword = "canary-passphrase-wrong"
    tls_case(options, {code = "tls", posts = 0, message = "clientKeyPassword"})
    options.clientKeyPassword = nil
    tls_case(options, {code = "tls", posts = 0, message = "clientKeyPassword"})
  end)

  it("with a passphrase that is not given asks nobody on the terminal", function()
    local script = os.tmpname()
    files.write(script, ([[
      local auth = require "corebank.auth"
      print(select(3, auth.authenticate{baseUrl = %q, clientId = "a", clientSecret = "b",
        caFile = %q, clientCert = %q, clientKey = %q, timeout = 2, attempts = 1}).code)]]):format(
      url, bank.caFile, pem.clientCert, pem.clientKeyEncrypted))
    -- script(1) gives it a terminal, on which nobody types.
    local pipe = io.popen(("script -qec '%s %s' /dev/null </dev/null"):format(
      os.getenv("CBA_LUA"), script))
    local output = pipe:read("*a")
    pipe:close()
    os.remove(script)
    assert.equal("tls", (output:gsub("%s+$", "")))
  end)

  it("with a key that does not belong to the certificate: tls, naming the options", function()
    tls_case({baseUrl = url, clientCert = pem.clientCert, clientKey = pem.wrongKey},
      {code = "tls", posts = 0, message = "clientKey"})
  end)

  it("with files that are not there: tls, naming the options", function()
    tls_case({baseUrl = url, clientCert = "/no/such/cert.pem", clientKey = "/no/such/key.pem"},
      {code = "tls", posts = 0, message = "clientCert"})
  end)
end)

describe("plain HTTP and TLS mixed up #tls", function()
  it("TLS spoken to a plain port: tls or network, no hang", function()
    tls_case({baseUrl = bank.plainUrl:gsub("http:", "https:")},
      {code = {"tls", "network"}, posts = 0})
  end)

  it("plain HTTP spoken to a TLS port: tls or network, no hang", function()
    local plain = bank.urls.tls12:gsub("https:", "http:"):gsub("localhost", "127.0.0.1")
    tls_case({baseUrl = plain}, {code = {"tls", "network"}, posts = 0})
  end)

  for _, ending in ipairs{"close", "reset"} do
    it("a server that hangs up in the handshake (" .. ending .. "): network", function()
      local raw = sandbox.raw{connections = {{{"read", 5}, ending}}}
      tls_case({baseUrl = raw.httpsUrl}, {code = "network", posts = 0})
      raw:stop()
    end)
  end

  it("a server that hangs up in one handshake and not in the next: success", function()
    local raw = sandbox.raw{connections = {{{"read", 5}, "close"}, {{"read", 5}, "reset"},
      {"starttls", "read_request", {"send", sandbox.answer()}}}}
    survive.case{options = {baseUrl = raw.httpsUrl, attempts = 3}, posts = 1,
      count = function() return raw:posts() end}
    raw:stop()
  end)

  it("a server that stays silent in the handshake: timeout at the connect timeout", function()
    local raw = sandbox.raw{connections = {{{"read", 5}, "silence"}}}
    tls_case({baseUrl = raw.httpsUrl, connectTimeout = 0.5},
      {code = "timeout", posts = 0, within = 0.5})
    raw:stop()
  end)
end)

describe("the build of libcurl #tls", function()
  it("is the one this run is meant for", function()
    local wanted = os.getenv("CBA_BUILD"):find("gnutls") and "GnuTLS" or "OpenSSL"
    assert.is_truthy(require("corebank.auth").version():find(wanted, 1, true))
  end)
end)
