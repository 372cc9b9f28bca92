-- FAULTS, "Caller": secrets from a file or the environment, and mistakes with them.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

describe("a secret's source", function()
  local function file(content, mode)
    local path = os.tmpname()
    files.write(path, content)
    process.chmod(path, mode or 384)   -- 0600
    return path
  end

  local function refused(path, pattern)
    local ok, message = pcall(function()
      local secret = auth.secret.file(path)
      return secret
    end)
    os.remove(path)
    assert.is_false(ok)
    assert.is_truthy(message:find("secret_sources_spec.lua:%d+: secret.file: "), message)
    assert.is_truthy(message:find(pattern), message)
    survive.no_canary(message)
  end

  it("a file, with and without a newline at the end", function()
    for _, ending in ipairs{"", "\n"} do
      local path = file(bank.clientSecret .. ending)
      local secret = auth.secret.file(path)
      os.remove(path)
      survive.case{options = {clientSecret = secret}}
      survive.case{options = {clientSecret = secret}}   -- the caller's own is not closed by a call
    end
  end)

  it("a file that cannot be used raises at once, a FIFO too", function()
    refused("/no/such/secret", "cannot be read: No such file")
    refused(file(""), "is empty")
    refused(file("\n"), "is empty")
    refused(file("canary-secret\r\n"), "ends in a carriage return %(CR%)")
    refused(file("canary-secret\nmore\0"), "NUL")
    refused(file(("k"):rep(4097)), "larger than 4 KiB")
    refused(file(("k"):rep(401)), "longer than 400 bytes")
    refused(file("canary-secret", 420), "every user")   -- 0644
    local fifo = os.tmpname()
    os.remove(fifo)
    assert(os.execute("mkfifo -m 600 " .. fifo))
    refused(fifo, "not a regular file")
    local dir = os.tmpname()
    os.remove(dir)
    assert(os.execute("mkdir -m 700 " .. dir))
    refused(dir, "not a regular file")
    os.execute("rm -rf " .. dir)
  end)

  it("an environment variable", function()
    process.setenv("CBA_SPEC_SECRET", bank.clientSecret)
    local secret = auth.secret.env("CBA_SPEC_SECRET")
    process.setenv("CBA_SPEC_SECRET", nil)
    survive.case{options = {clientSecret = secret}}
    local ok, message = pcall(function() return (auth.secret.env "CBA_SPEC_SECRET") end)
    assert.is_false(ok)
    local wanted = "secret_sources_spec.lua:%d+: secret.env: CBA_SPEC_SECRET is not set"
    assert.is_truthy(message:find(wanted))
  end)

  it("that is given itself in place of its name or path is not shown", function()
    for _, secret in ipairs{"canary-secret", "aB3xYz91kQ", "k+7/Qx==", "Tr0ub4dor", "a.b",
      "/k7Qx91aB3", "A1B2C3D4"} do
      for _, source in ipairs{"env", "file"} do
        local ok, message = pcall(auth.secret[source], secret)
        assert.is_false(ok)
        assert.is_nil(message:find(secret, 1, true), message)
      end
    end
    for _, path in ipairs{"/no/such-file", "./no.such", "../no_such"} do
      local _, message = pcall(auth.secret.file, path)
      local told = "secret.file: " .. path .. " cannot be read: No such"
      assert.is_truthy(message:find(told, 1, true), message)
    end
  end)

  it("neither takes anything but a string", function()
    for _, source in ipairs{"file", "env"} do
      local ok, message = pcall(function() return (auth.secret[source](nil)) end)
      assert.is_false(ok)
      local wanted = "secret_sources_spec.lua:%d+: secret%." .. source .. ": a string"
      assert.is_truthy(message:find(wanted))
    end
  end)
end)
