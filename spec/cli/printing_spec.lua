-- S30: what a terminal obeys is in nothing that is printed, whoever put it there.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local core = require "corebank.auth.core"
local files = require "spec.support.files"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

-- ESC, BEL, backspace, DEL, a C1 CSI in UTF-8 and raw, an override of the direction, a line
-- separator, a line of its own
local BAD = "a\27[31mb\7c\8d\127e\194\155f\155g\226\128\174h\226\128\168i\nok      j\rk\tl"
local SHOWN = "a?[31mb?c?d?e?f?g?h?i?ok      j?k?l"
-- The same as UTF-8, for what must be that.
local BAD_TEXT = BAD:gsub("f\155", "f\194\156")

-- No control character but line feeds, no C1, no override.
local function harmless(text)
  local found = text:gsub("\n", ""):find("[%c\127]") or text:find("\194[\128-\159]")
    or text:find("\226\128[\168-\174]") or not core.characters(text)
  assert.is_falsy(found, ("%q"):format(text))
  return text
end

describe("S30: text for a person", function()
  it("has a ? in place of what nobody sees and of what is no UTF-8", function()
    assert.equal(SHOWN, core.printable(BAD))
    assert.equal(SHOWN, core.printable(BAD_TEXT))
    for bytes = 0, 255 do harmless(core.printable("a" .. string.char(bytes) .. "b")) end
  end)

  it("is otherwise as it is", function()
    for _, text in ipairs{"", " a  b ", "bänk ☃ 🏦 日本", "~!'\"\\"} do
      assert.equal(text, core.printable(text))
    end
  end)
end)

describe("S30: the command #slow", function()
  local user = command.user(setup, teardown)

  local function run(words, changes)
    local environment = {COREBANK_CA_FILE = sandbox.bank().caFile}
    for name, value in pairs(changes or {}) do environment[name] = value end
    local result = user:run(words, environment)
    result.all = harmless(result.out .. result.err)
    return result
  end

  it("shows a client id, a path and a header's name without it", function()
    local result = run({"doctor", "--client-id", BAD_TEXT, "--no-store"})
    assert.is_truthy(result.out:find("--client-id " .. SHOWN .. " (given)\n", 1, true), result.out)
    assert.equal(3, result.status)
    result = run({"doctor", "--no-store"}, {COREBANK_CLIENT_ID = BAD_TEXT})
    assert.is_truthy(result.out:find("--client-id " .. SHOWN .. " ($COREBANK", 1, true), result.out)
    for _, words in ipairs{{"--path", "/" .. BAD}, {"--base-url", "https://" .. BAD},
      {"--header", BAD .. ": x"}, {"--header", "X: " .. BAD}, {"--proxy", "http://" .. BAD},
      {"--no-proxy", BAD}, {"--pinned-key", BAD}, {"--min-tls", BAD}, {"--timeout", BAD},
      {"--ca-file", BAD}, {"--client-cert", BAD}, {"--ca-path", BAD}} do
      for _, name in ipairs{"doctor", "token"} do
        run({name, "--no-store", words[1], words[2]})
      end
    end
  end)

  it("shows files' and folders' names without it", function()
    local dir = user.home .. "/" .. BAD
    assert(os.execute("mkdir -p " .. files.quoted(dir)))
    local path = dir .. "/secret"
    files.write(path, sandbox.bank().clientSecret, "600")
    local result = run({"doctor", "--secret-file", path, "--store-dir", dir .. "/store"})
    local wanted = "file " .. user.home .. "/" .. SHOWN .. "/secret, mode 0600"
    assert.is_truthy(result.out:find(wanted, 1, true), result.out)
    assert.is_truthy(result.out:find("file in " .. user.home .. "/" .. SHOWN .. "/store", 1, true))
    result = run({"explain", "--secret-file", path, "--store-dir", dir .. "/store"})
    assert.is_truthy(
      result.out:find("file in " .. user.home .. "/" .. SHOWN .. "/store\n", 1, true))
    local words = {"explain", "--format", "json", "--secret-file", path, "--store-dir"}
    words[#words + 1] = user.home .. "/a\194\155b"
    assert.is_truthy(run(words).out:find("a\\u009bb", 1, true))
    words[#words] = user.home .. "/\226\128\174\226\129\166\216\156\226\130\172"
    assert.is_truthy(run(words).out:find("/\\u202e\\u2066\\u061c\226\130\172", 1, true))
    process.chmod(dir, 511)   -- 0777
    run({"token", "--secret-file", path, "--store-dir", dir})
    run({"doctor", "--secret-file", path, "--store-dir", dir})
    run({"forget", "--secret-file", path, "--store-dir", dir})
    run({"doctor", "--store-dir", BAD})
  end)

  it("repeats a wrong word of its line without it", function()
    for _, wrong in ipairs{{BAD}, {"token", BAD}, {"token", "--" .. BAD}, {"completion", BAD},
      {"token", "--format", BAD}, {"token", "--secret-file", BAD}, {"exec", "--", BAD}} do
      run(wrong)
    end
  end)

  it("prints a token as it is", function()
    local result = run({"token", "--no-store"})
    assert.equal(0, result.status)
    assert.is_truthy(result.out:find("^%S+\n$"))
  end)
end)

describe("S30: a message of the library", function()
  local bank = sandbox.bank()

  it("has nothing of it from a bank that redirects", function()
    for _, host in ipairs{"a\194\155b.example", "a\226\128\174b.example", "a\155b.example"} do
      local scenario = bank:scenario{{status = 302, redirect = "https://" .. host .. "/x"}}
      local _, message, problem = auth.authenticate(survive.options{baseUrl = scenario.baseUrl})
      assert.equal("redirect", problem.code)
      harmless(message)
    end
  end)

  it("has nothing of it from a caller's values", function()
    for _, changes in ipairs{{baseUrl = "https://" .. BAD}, {path = "/" .. BAD}, {proxy = BAD},
      {noProxy = BAD}, {caFile = BAD}, {clientCert = BAD}, {headers = {[BAD] = "x"}},
      {headers = {x = BAD}}, {headers = {["Host" .. BAD] = "x"}}, {minTls = BAD}, {pinnedKey = BAD},
      {clientId = ("x"):rep(101) .. BAD_TEXT}, {[BAD] = 1}} do
      local ok, outcome, message = pcall(auth.authenticate, survive.options(changes))
      message = ok and message or tostring(outcome)
      assert.is_nil(harmless(message):find("\n", 1, true), message)
    end
    for _, call in ipairs{
      function() return auth.secret.file(BAD) end, function() return auth.secret.env(BAD) end,
      function() return auth.store.file{dir = BAD} end} do
      local _, message = pcall(call)
      harmless(message)
    end
    local fault = select(2, auth.store.file{dir = "/dev/null/" .. BAD}:put("0123", "x", 1))
    assert.is_nil(harmless(fault):find("\n", 1, true))
  end)
end)
