-- S33: a host name that libcurl cannot do anything with is a mistake of the caller, who is told
-- what to write.

local auth = require "corebank.auth"
local command = require "spec.command"
local files = require "spec.files"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.survive"

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
  it("that is not in ASCII is answered with its form that is", function()
    for host, form in pairs{
      ["bänk.example"] = "xn--bnk-qla.example", ["BÄNK.example"] = "xn--bnk-qla.example",
      ["münchen.bänk.example"] = "xn--mnchen-3ya.xn--bnk-qla.example",
      ["faß.example"] = "xn--fa-hia.example", ["Пример.example"] = "xn--e1afmkfd.example",
      ["пример.испытание"] = "xn--e1afmkfd.xn--80akhbyknj4f",
      ["παράδειγμα.example"] = "xn--hxajbheg2az3al.example",
      ["例え.テスト"] = "xn--r8jz45g.xn--zckzah", ["日本語.example"] = "xn--wgv71a119e.example",
      ["한국.example"] = "xn--3e0b707e.example", ["čeština.example"] = "xn--etina-gya30d.example",
      ["ŁÓDŹ.example"] = "xn--d-uga0v4h.example", ["b%C3%A4nk.example"] = "xn--bnk-qla.example",
    } do
      for _, rest in ipairs{"", ":8443/prefix", "/"} do
        local changes = {baseUrl = "https://" .. host .. rest}
        raises(changes, "baseUrl must have its host name in ASCII: for ")
        raises(changes, " write " .. form)
      end
    end
  end)

  it("whose ASCII form takes Unicode's tables is told that there is one", function()
    for _, host in ipairs{"e\204\129.example", "İ.example", "ﾊ.example", "bank。example"} do
      raises({baseUrl = "https://" .. host}, "write the form that begins with xn--")
    end
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
    raises({proxy = "http://pröxy.example:3128"},
      "proxy must have its host name in ASCII: for pröxy.example write xn--prxy-6qa.example")
    raises({proxy = "pröxy.example:3128"}, "write xn--prxy-6qa.example")
  end)

  it("from the environment is named so, and so it is by the command", function()
    process.setenv("COREBANK_BASE_URL", "https://bänk.example")
    raises({baseUrl = survive.ABSENT}, "baseUrl (from COREBANK_BASE_URL) must have its host name")
    process.setenv("COREBANK_BASE_URL", nil)
    local home = files.new_folder()
    local before = sandbox.bank():posts()
    for _, name in ipairs{"token", "doctor"} do
      local result = command.run(home, command.line(command.environment(home),
        {name, "--no-store", "--base-url", "https://bänk.example"}))
      assert.equal(2, result.status)
      local wanted = "--base-url must have its host name in ASCII: for bänk.example write "
        .. "xn--bnk-qla.example"
      assert.is_truthy((result.out .. result.err):find(wanted, 1, true), result.err)
    end
    os.execute("rm -rf " .. home)
    assert.equal(before, sandbox.bank():posts())
  end)
end)
