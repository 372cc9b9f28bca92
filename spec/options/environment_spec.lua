-- S14: where the secret is and whom to trust, from the environment.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local files = require "spec.support.files"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

describe("S14: COREBANK_CLIENT_SECRET_FILE and COREBANK_CA_FILE #slow", function()
  local user = command.user(setup, teardown)
  local path

  before_each(function() path = user:write("secret", bank.clientSecret .. "\n") end)
  after_each(function()
    for _, name in ipairs{"COREBANK_CLIENT_SECRET", "COREBANK_CLIENT_SECRET_FILE",
      "COREBANK_CA_FILE"} do
      process.setenv(name, nil)
    end
  end)

  -- What the environment says is left out of the options.
  local function options(changes)
    local all = survive.options{clientSecret = survive.ABSENT, caFile = survive.ABSENT}
    for name, value in pairs(changes or {}) do all[name] = value end
    return all
  end

  local function raised(pattern, changes)
    local ok, message = pcall(auth.authenticate, options(changes))
    assert.is_false(ok)
    survive.no_canary(message)
    assert.is_truthy(message:find(pattern), message)
  end

  it("are options' variables", function()
    process.setenv("COREBANK_CLIENT_SECRET_FILE", path)
    process.setenv("COREBANK_CA_FILE", bank.caFile)
    assert(auth.authenticate(options()))
    local client = auth.client(options())
    assert(client:token())
    client:close()
    assert(auth.authenticateAll{options()}[1].token)
  end)

  it("are less than an option", function()
    process.setenv("COREBANK_CLIENT_SECRET", "canary-secret-wrong")
    process.setenv("COREBANK_CLIENT_SECRET_FILE", user.home .. "/nowhere")
    process.setenv("COREBANK_CA_FILE", bank.files.otherCa)
    assert(auth.authenticate(survive.options()))
  end)

  it("count as not set when they are empty", function()
    process.setenv("COREBANK_CLIENT_SECRET", bank.clientSecret)
    process.setenv("COREBANK_CLIENT_SECRET_FILE", "")
    process.setenv("COREBANK_CA_FILE", "")
    assert(auth.authenticate(options{caFile = bank.caFile}))
    process.setenv("COREBANK_CLIENT_SECRET", "")
    process.setenv("COREBANK_CLIENT_SECRET_FILE", path)
    assert(auth.authenticate(options{caFile = bank.caFile}))
    process.setenv("COREBANK_CLIENT_SECRET_FILE", nil)
    raised("clientSecret is missing; give it or set COREBANK_CLIENT_SECRET or "
      .. "COREBANK_CLIENT_SECRET_FILE$")
  end)

  it("are a mistake when a secret is there, too", function()
    for _, secret in ipairs{bank.clientSecret, "canary-secret\r", ("k"):rep(500)} do
      process.setenv("COREBANK_CLIENT_SECRET", secret)
      process.setenv("COREBANK_CLIENT_SECRET_FILE", path)
      raised("clientSecret %(from COREBANK_CLIENT_SECRET%) is also given by "
        .. "COREBANK_CLIENT_SECRET_FILE; unset one of the two$")
    end
  end)

  it("are named when what they say cannot be used", function()
    local from = "clientSecret %(from COREBANK_CLIENT_SECRET_FILE%) "
    process.setenv("COREBANK_CLIENT_SECRET_FILE", user.home .. "/nowhere")
    raised(from .. "cannot be read: No such file")
    process.setenv("COREBANK_CLIENT_SECRET_FILE", path)
    process.chmod(path, 420)   -- 0644
    raised(from .. "is open to every user")
    process.chmod(path, 384)
    files.write(path, "canary-secret\r\n")
    raised(from .. "ends in a carriage return %(CR%)")
    files.write(path, ("k"):rep(101))
    raised(from .. "must have at most 100 characters")
    process.setenv("COREBANK_CLIENT_SECRET_FILE", path .. "\r")
    raised(from .. "ends in a carriage return %(CR%)")
    process.setenv("COREBANK_CLIENT_SECRET_FILE", nil)
    process.setenv("COREBANK_CA_FILE", user.home .. "/nowhere")
    local token, message, problem = auth.authenticate(options{clientSecret = bank.clientSecret})
    assert.is_nil(token)
    assert.equal("tls", problem.code)
    assert.is_truthy(message:find("caFile", 1, true), message)
  end)

  it("name a file that is read again after a denial", function()
    process.setenv("COREBANK_CLIENT_SECRET_FILE", path)
    files.write(path, "canary-secret-old")
    local scenario = bank:scenario{{}}
    local client = auth.client(options{baseUrl = scenario.baseUrl, caFile = bank.caFile})
    files.write(path, bank.clientSecret)
    assert(client:token())
    assert.equal(2, scenario:posts())
    client:close()
  end)

  local function run(words, changes)
    local environment = {COREBANK_CLIENT_SECRET = false}
    for name, value in pairs(changes) do environment[name] = value end
    return user:run(words, environment)
  end

  it("are the command's, too", function()
    local both = {COREBANK_CLIENT_SECRET_FILE = path, COREBANK_CA_FILE = bank.caFile}
    assert.equal(0, run({"token", "--no-store"}, both).status)
    both.COREBANK_CLIENT_SECRET = bank.clientSecret
    local result = run({"token", "--no-store"}, both)
    assert.equal(2, result.status)
    assert.is_truthy(result.err:find("client secret (from COREBANK_CLIENT_SECRET) is also given by "
      .. "COREBANK_CLIENT_SECRET_FILE; unset one", 1, true), result.err)
    assert.equal(0, run({"token", "--no-store", "--secret-file", path}, both).status)
  end)

  it("are named by the doctor, and so is what others read and it does not", function()
    local result = run({"doctor", "--no-store"}, {COREBANK_CLIENT_SECRET_FILE = path,
      COREBANK_CA_FILE = bank.caFile, SSL_CERT_FILE = "/x", CURL_CA_BUNDLE = "/y",
      SSL_CERT_DIR = ""})
    assert.equal(0, result.status)
    for _, part in ipairs{"--ca-file " .. bank.caFile .. " ($COREBANK_CA_FILE)",
      ("file %s, mode 0600 ($COREBANK_CLIENT_SECRET_FILE)"):format(path),
      "$SSL_CERT_FILE, $CURL_CA_BUNDLE: set, and not used"} do
      assert.is_truthy(result.out:find(part, 1, true), result.out)
    end
    result = run({"doctor", "--no-store"}, {COREBANK_CLIENT_SECRET_FILE = path,
      COREBANK_CA_FILE = bank.caFile})
    assert.is_nil(result.out:find("not used", 1, true), result.out)
  end)
end)
