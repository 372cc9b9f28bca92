-- S33: a host name that libcurl cannot do anything with is a mistake of the caller, who is told
-- what to write.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local user = command.user(setup, teardown)

local function message_of(changes)
  local ok, token, message = pcall(auth.authenticate, survive.options(changes))
  message = ok and message or token
  assert.is_string(message)
  assert.is_nil(message:find("%c"), message)
  return message, not ok
end

local function raises(changes, part)
  local message, raised = message_of(changes)
  assert.is_true(raised, message)
  assert.is_truthy(message:find(part, 1, true), message)
end

describe("S33: a host name", function()
  it("that is not in ASCII is told how its form is found that is", function()
    for _, host in ipairs{"bänk.example", "münchen.bänk.example", "例え.テスト",
      "e\204\129.example", "bank。example"} do
      for _, rest in ipairs{"", ":8443/prefix", "/"} do
        local wanted = ("must have its host name in ASCII: write the form of %s that begins "
          .. "with xn--, which `idn2 %s` prints"):format(host, host)
        raises({baseUrl = "https://" .. host .. rest}, wanted)
      end
    end
    raises({baseUrl = "https://b%C3%A4nk.example"},
      survive.isLibcurl780 and "which `idn2 bänk.example` prints" or "baseUrl must be a URL")
  end)

  it("is told what else is wrong with it", function()
    for host, part in pairs{
      ["b\255nk.example"] = "must have a host name that is valid UTF-8",
      ["ba\194\173nk.example"] = "without white space and other invisible characters",
      ["ba\226\128\139nk.example"] = "without white space and other invisible characters",
      ["bank..example"] = "without an empty part between its dots",
      [("x"):rep(64) .. ".example"] = "whose parts have at most 63 characters",
      ["ba nk.example"] = "must be a URL, without white space",
      ["ba\tnk.example"] = "must be a URL, without white space",
      ["bank.example\r"] = "must be a URL; it ends in a carriage return (CR); remove it",
      ["[fe80::1%25eth0]"] = "must be a URL, without the zone of an IPv6 address",
    } do
      raises({baseUrl = "https://" .. host}, part)
    end
    raises({baseUrl = "bank.example"}, "must be a URL, and begin with https://")
    raises({baseUrl = "\239\187\191https://bank.example"}, "must be a URL; it begins with a byte")
  end)

  it("that is all right is left alone", function()
    for _, host in ipairs{"xn--bnk-qla.invalid", "my_bank.invalid", "bank.invalid.",
      "BANK.invalid", ("x"):rep(63) .. ".invalid", ("x.y"):rep(30) .. ".invalid"} do
      local message, raised = message_of{baseUrl = "https://" .. host}
      assert.is_false(raised, message)
      assert.is_truthy(message:find("cannot be resolved", 1, true), message)
    end
  end)

  it("of a proxy goes by the same rule", function()
    for _, proxy in ipairs{"http://pröxy.example:3128", "pröxy.example:3128"} do
      raises({proxy = proxy}, "proxy must have its host name in ASCII: write the form of "
        .. "pröxy.example that begins with xn--")
    end
  end)

  it("from the environment is named so, and so it is by the command", function()
    process.setenv("COREBANK_BASE_URL", "https://bänk.example")
    raises({baseUrl = survive.ABSENT}, "baseUrl (from COREBANK_BASE_URL) must have its host name")
    process.setenv("COREBANK_BASE_URL", nil)
    local before = sandbox.bank():posts()
    for _, name in ipairs{"token", "doctor"} do
      local result = user:run{name, "--no-store", "--base-url", "https://bänk.example"}
      assert.equal(2, result.status)
      local wanted = "--base-url must have its host name in ASCII: write the form of "
        .. "bänk.example that begins with xn--, which `idn2 bänk.example` prints"
      assert.is_truthy((result.out .. result.err):find(wanted, 1, true), result.err)
    end
    assert.equal(before, sandbox.bank():posts())
  end)
end)
