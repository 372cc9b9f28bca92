-- Tables of options that are alike but for their credentials, read one after the other.

local alike = require "corebank.auth.options.alike"
local core = require "corebank.auth.core"
local options = require "corebank.auth.options.options"

local function given(changes)
  local own = {baseUrl = "https://bank.example", clientId = "id", clientSecret = "canary-secret"}
  for name, value in pairs(changes or {}) do own[name] = value end
  return own
end

describe("tables that are alike", function()
  local reader, first

  before_each(function()
    reader = alike.reader()
    first = assert(reader:read(given{timeout = 7}))
  end)

  it("are read once but for the credentials, and known by one number", function()
    local second = assert(reader:read(given{timeout = 7, clientId = "other"}))
    assert.is_true(first.serial ~= nil and first.serial == second.serial)
    assert.equal(first.url, second.url)
    assert.equal(7, second.timeout)
    assert.equal("other", second.clientId)
    assert.equal("id", first.clientId)
    options.release(first)
    assert.is_true(core.is_secret(second.clientSecret))
  end)

  it("are not when any other option differs, is missing or is there besides", function()
    for _, changes in ipairs{{timeout = 8}, {}, {timeout = 7, attempts = 2}} do
      local other = assert(reader:read(given(changes)))
      assert.are_not.equal(first.serial, other.serial)
      assert.equal(changes.timeout or 10, other.timeout)
      assert.equal(changes.attempts or 3, other.attempts)
      first = assert(reader:read(given{timeout = 7}))
    end
  end)

  it("share no transfer", function()
    first.transfer = "in the air"
    assert.is_false(assert(reader:read(given{timeout = 7})).transfer)
  end)

  it("are not when a metatable gives more", function()
    local defaults = setmetatable(given(), {__index = {attempts = 9}})
    assert.equal(9, reader:read(defaults).attempts)
    assert.equal(3, reader:read(given()).attempts)
    assert.equal(9, reader:read(defaults).attempts)
  end)

  it("leave no secret behind when the credentials are a mistake", function()
    local release, released = options.release, {}
    options.release = function(settings)
      released[#released + 1] = settings
      release(settings)
    end
    local settings, mistake = reader:read(given{timeout = 7, clientId = ("x"):rep(101)})
    options.release = release
    assert.is_nil(settings)
    assert.is_truthy(mistake:find("clientId", 1, true))
    assert.equal(1, #released)
  end)

  it("leave none of their credentials in the reader, wherever Ctrl-C meets it", function()
    local function must_be_clean(value)
      assert.is_false(value == "canary-secret")
      assert.is_false(core.is_secret(value))
      if type(value) ~= "table" then return end
      for _, field in pairs(value) do must_be_clean(field) end
    end
    for _, work in ipairs{"read", "check"} do
      debug.sethook(function() must_be_clean(reader.last) end, "", 1)
      local ok, fault = pcall(reader[work], reader, given{timeout = 7})
      debug.sethook()
      assert.is_true(ok, fault)
    end
  end)

  it("have a key's passphrase each", function()
    local secured = {clientCert = "client.pem", clientKeyPassword = "canary-passphrase"}
    local one = assert(reader:read(given(secured)))
    local two = assert(reader:read(given(secured)))
    options.release(one)
    assert.is_true(core.is_secret(two.clientKeyPassword))
  end)

  it("are checked as they are read, and nothing is left of that", function()
    local long = ("x"):rep(101)
    for changes, name in pairs{[{clientId = ""}] = "clientId", [{timeout = -1}] = "timeout",
      [{clientSecret = long}] = "clientSecret", [{clientSecret = false}] = "clientSecret"} do
      changes.timeout = changes.timeout or 7
      local settings, mistake = reader:read(given(changes))
      assert.is_nil(settings)
      assert.equal(name, mistake:match("^%a+"))
      assert.equal(mistake, reader:check(given(changes)))
      assert.is_nil(reader:check(given{timeout = 7}))
    end
  end)
end)
