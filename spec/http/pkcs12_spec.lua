-- Client certificates in the forms that banks hand out: taken by what is in the file.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local pem, quoted = bank.files, files.quoted
local PASSPHRASE = "canary-passphrase-p12"
local is_gnutls = os.getenv("CBA_BUILD"):find "gnutls"
local dir

setup(function()
  dir = files.new_folder()
  local function made(command_line)
    assert(os.execute(("cd %s && { %s; } 2>log || { cat log >&2; false; }"):format(quoted(dir),
      command_line)))
  end
  local from = ("-export -in %s -inkey %s"):format(quoted(pem.clientCert), quoted(pem.clientKey))
  made(("openssl pkcs12 %s -passout pass:%s -out client.p12"):format(from, PASSPHRASE))
  made("cp client.p12 client.pem && cp client.p12 client && cp client.p12 client.crt")
  -- OpenSSL 1.1 has no other form.
  local legacy = files.lines_of("openssl version")[1]:find "OpenSSL 1%." and "" or "-legacy"
  made(("openssl pkcs12 %s %s -passout pass:%s -out legacy.pfx"):format(from, legacy, PASSPHRASE))
  made(("openssl pkcs12 %s -passout pass: -out empty.p12"):format(from))
  made(("openssl pkcs12 %s -certfile %s -passout pass:%s -out chain.p12"):format(from,
    quoted(bank.caFile), PASSPHRASE))
  made(("openssl pkcs12 -in client.p12 -passin pass:%s -nodes -out attributes.p12"):format(
    PASSPHRASE))
  made(("openssl x509 -in %s -outform DER -out cert.der"):format(quoted(pem.clientCert)))
  made(("openssl pkey -in %s -outform DER -out key.der"):format(quoted(pem.clientKey)))
  made(("openssl pkcs8 -topk8 -nocrypt -in %s -outform DER -out key8.der"):format(
    quoted(pem.clientKey)))
  made(("cat %s %s > both.p12"):format(quoted(pem.clientCert), quoted(pem.clientKey)))
end)
teardown(function() os.execute("rm -r " .. quoted(dir)) end)

local function call(options, case)
  case = case or {posts = 1}
  options.baseUrl = bank.urls.mtls
  for _, name in ipairs{"clientCert", "clientKey"} do
    local path = options[name]
    if path and not path:find "/" then options[name] = dir .. "/" .. path end
  end
  case.options, case.count = options, function() return bank:posts() end
  return survive.case(case)
end

local function refused(options, message)
  local problem = call(options, {code = "tls", posts = 0, message = message})
  assert.is_false(problem.retryable)
  return problem
end

describe("S28: a client certificate as PKCS#12 #tls", function()
  -- libcurl with GnuTLS reads it from 8.11 on.
  if is_gnutls then
    it("is plainly refused by this libcurl with GnuTLS, or taken", function()
      local token, message = auth.authenticate(survive.options{baseUrl = bank.urls.mtls,
        clientCert = dir .. "/client.p12", clientKeyPassword = PASSPHRASE})
      assert.is_truthy(token or message:find("GnuTLS cannot read PKCS#12, 8.11 can: make PEM", 1,
        true), message)
    end)
    return
  end

  it("is taken, whatever its name is", function()
    for _, name in ipairs{"client.p12", "client.pem", "client", "client.crt", "chain.p12"} do
      call{clientCert = name, clientKeyPassword = PASSPHRASE}
    end
  end)

  it("is taken without a passphrase when it has none", function()
    call{clientCert = "empty.p12"}
  end)

  it("may be named as the key, too", function()
    call{clientCert = "client.p12", clientKey = "client.p12", clientKeyPassword = PASSPHRASE}
  end)

  it("with a wrong passphrase, or none: tls, and it is not shown", function()
    for _, passphrase in ipairs{"canary-passphrase-wrong", survive.ABSENT} do
      refused({clientCert = "client.p12", clientKeyPassword = passphrase}, "clientKeyPassword")
    end
  end)

  it("of old encryption is taken, or the message says how to write it anew", function()
    local token, message = auth.authenticate(survive.options{baseUrl = bank.urls.mtls,
      clientCert = dir .. "/legacy.pfx", clientKeyPassword = PASSPHRASE})
    assert.is_truthy(token or message:find("openssl pkcs12 -legacy", 1, true), message)
    survive.no_canary(message)
  end)

  it("with a clientKey beside it, or as clientKey: says what to leave out", function()
    refused({clientCert = "client.p12", clientKey = pem.clientKey,
      clientKeyPassword = PASSPHRASE}, "leave clientKey out")
    refused({clientCert = pem.clientCert, clientKey = "client.p12",
      clientKeyPassword = PASSPHRASE}, "clientKey is PKCS#12: give it as clientCert")
  end)

  it("cut short: tls, naming the option", function()
    local bytes = files.content(dir .. "/client.p12")
    for _, length in ipairs{1, 4, 20, 200, #bytes - 1} do
      files.write(dir .. "/cut.p12", bytes:sub(1, length))
      refused({clientCert = "cut.p12", clientKeyPassword = PASSPHRASE}, "clientCert")
    end
  end)

  it("that takes the place of PEM, and the other way round, counts at the next call", function()
    local options = survive.options{baseUrl = bank.urls.mtls, clientCert = dir .. "/rotated"}
    for _, name in ipairs{"both.p12", "empty.p12", "both.p12", "empty.p12"} do
      assert(os.execute(("cp %s/%s %s/rotated"):format(quoted(dir), name, quoted(dir))))
      assert(auth.authenticate(options))
    end
  end)

  it("serves the command, and the doctor", function()
    local line = command.line(command.environment(dir), {"token", "--no-store", "--base-url",
      bank.urls.mtls, "--ca-file", bank.caFile, "--client-cert", dir .. "/empty.p12"})
    local result = command.run(dir, line)
    assert.equal(0, result.status, result.err)
    result = command.run(dir, line .. " --client-key " .. quoted(pem.clientKey))
    assert.equal(5, result.status)
    assert.is_truthy(result.err:find("leave --client-key out", 1, true), result.err)
  end)
end)

describe("S28: a client certificate #tls", function()
  it("is taken as PEM, whatever its name is and whatever comes before", function()
    call{clientCert = "both.p12"}
    call{clientCert = "attributes.p12"}   -- bag attributes first
    call{clientCert = "both.p12", clientKey = "both.p12"}
  end)

  it("is taken as DER with a key as DER", function()
    call{clientCert = "cert.der", clientKey = "key.der"}
    call{clientCert = "cert.der", clientKey = "key8.der"}
  end)

  it("is taken as DER with a key as PEM, and the other way round; GnuTLS says no", function()
    for certificate, key in pairs{["cert.der"] = pem.clientKey, [pem.clientCert] = "key.der"} do
      local options = {clientCert = certificate, clientKey = key}
      if is_gnutls then
        refused(options, "both as PEM or both as DER")
      else
        call(options)
      end
    end
  end)

  it("as DER without a key: says to give clientKey", function()
    refused({clientCert = "cert.der"}, "cannot contain a key: give clientKey")
  end)

  it("that is none of these: tls, naming the option and what it may be", function()
    for _, bytes in ipairs{"", "0", "00000000", "\254\237\254\237\0\0\0\2", "neither", "0\130\1",
      "\48\3\1\1\1", "PK\3\4"} do
      files.write(dir .. "/odd", bytes)
      refused({clientCert = "odd"}, "the file in clientCert is neither PEM, DER nor PKCS#12")
      refused({clientCert = pem.clientCert, clientKey = "odd"},
        "the file in clientKey is neither PEM, DER nor PKCS#12")
    end
  end)

  it("is of no consequence where nothing is encrypted", function()
    survive.case{options = {baseUrl = bank.plainUrl, clientCert = "/no/such"}}
  end)

  it("that is not there: tls, and why", function()
    refused({clientCert = "/no/such"}, "the file in clientCert: No such file or directory")
    refused({clientCert = pem.clientCert, clientKey = "/no/such"}, "the file in clientKey: No such")
  end)

  it("from a pipe reaches the TLS library whole", function()
    local line = command.line(command.environment(dir), {"token", "--no-store", "--base-url",
      bank.urls.mtls, "--ca-file", bank.caFile, "--attempts", "1"})
    local result = command.run(dir, ("bash -c %s"):format(quoted(("%s --client-cert <(cat %s) "
      .. "--client-key <(cat %s)"):format(line, pem.clientCert, pem.clientKey))))
    assert.equal(0, result.status, result.err)
  end)
end)
