-- S20: request headers from a file, where `ps` does not show a key.

local command = require "spec.support.command"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

describe("S20: --header @FILE #slow", function()
  local user = command.user(setup, teardown)
  local scenario

  before_each(function() scenario = bank:scenario{{}} end)

  -- What stands for a file of these bytes.
  local function from(bytes, mode) return "@" .. user:write("headers", bytes, mode) end

  local function line(...)
    return user:line({"token", "--no-store", ...},
      {COREBANK_BASE_URL = scenario.baseUrl, COREBANK_CA_FILE = bank.caFile})
  end

  -- The headers of the one request that was sent.
  local function sent(text)
    local result = user:run(text)
    assert.equal("", result.err)
    assert.equal(0, result.status)
    local requests = scenario:requests()
    assert.equal(1, #requests)
    return requests[1].headers
  end

  local function fails(text, part)
    local result = user:run(text)
    assert.equal(2, result.status)
    assert.is_truthy(result.err:find(part, 1, true), result.err)
    assert.equal(0, scenario:posts())
  end

  it("refuses what nobody sees at an end of a name or a value, and says what is there", function()
    for text, message in pairs{
      ["\239\187\191X-Key: canary-secret-key\n"] =
        "line 1 has a name that begins with a byte order mark (BOM); remove it",
      ["X-A: 1\nX-Key: canary-secret-key\194\160\n"] =
        "line 2 has a value that ends in a no-break space (U+00A0); remove it",
      ["X-Key: canary-secret-key\r\r\n"] =
        "line 1 has a value that ends in a carriage return (CR); remove it",
      ["X-Key: canary-secret-key\27"] =
        "line 1 has a value that ends in a control character (U+001B); remove it",
      ["X-Key : canary-secret-key\n"] =
        "line 1 has a name that ends in a space (U+0020); remove it",
    } do
      fails(line("--header", from(text)), message)
      fails(line("--header", (text:gsub("\r?\n$", ""):gsub(".*\n", ""))),
        "--header " .. message:match "has .*")
    end
  end)

  it("takes no blanks around a value, and one line feed at its end, for a part of it", function()
    local headers = sent(line("--header", from "X-Key: \tcanary-secret-key \t\r\n",
      "--header", "X-More: 1\n"))
    assert.same({"canary-secret-key"}, headers["x-key"])
    assert.same({"1"}, headers["x-more"])
  end)

  it("sends what is on its lines, beside those of the command line", function()
    local headers = sent(line("--header",
      from "X-Key: canary-secret-key\nX-Tenant:b:c\n\nX-Empty:\n", "--header", "X-More: 1"))
    assert.same({"canary-secret-key"}, headers["x-key"])
    assert.same({"b:c"}, headers["x-tenant"])
    assert.same({"1"}, headers["x-more"])
    assert.is_truthy(headers["x-empty"])
  end)

  it("takes CR LF, a last line without an end, and several files", function()
    local more = user:write("more", "X-More: 1")
    local headers = sent(line("--header", from "X-Key: canary-secret-key\r\n\r\nX-Tenant: b",
      "--header=@" .. more))
    assert.same({"canary-secret-key"}, headers["x-key"])
    assert.same({"b"}, headers["x-tenant"])
    assert.same({"1"}, headers["x-more"])
  end)

  it("reads a pipe, and the standard input", function()
    local headers = sent("echo 'X-Key: canary-secret-key' | " .. line("--header", "@-"))
    assert.same({"canary-secret-key"}, headers["x-key"])
    scenario = bank:scenario{{}}
    headers = sent(("bash -c %s"):format(files.quoted(line("--header") .. [[ @<(echo X-Key: 1)]])))
    assert.same({"1"}, headers["x-key"])
  end)

  it("is read once by the doctor, which asks twice", function()
    local text = line("--header", "@-"):gsub("'token'", "'doctor'")
    local result = user:run("echo 'X-Key: canary-secret-key' | " .. text)
    assert.equal(0, result.status)
    survive.no_canary(result.out)
    assert.is_truthy(result.out:find("--header X-Key", 1, true), result.out)
  end)

  it("is looked at as a secret's file is", function()
    local open = from("X-Key: canary-secret-key\n", "644")
    fails(line("--header", open), "the file given to --header is open to every user")
    fails(line("--header", open), "--any-secret-mode")
    fails(line("--header", "@" .. user.home), "is not a regular file")
    fails(line("--header", "@" .. user.home .. "/nowhere"), "cannot be read: No such file")
    fails(line("--header", "@"), "cannot be read: No such file")
    assert.is_truthy(sent(line("--header", open, "--any-secret-mode"))["x-key"])
  end)

  it("is refused when a line is none, and is not shown then", function()
    for bytes, part in pairs{
      ["X-Key: 1\ncanary-secret-key\n"] = "given to --header: line 2 must look like 'Name:",
      ["X-Key: 1\nX-Key: canary-secret-key"] = "line 2 must name each header once",
      ["X-Key: canary-secret-key\nx-key: 2"] = "once",
      ["Canary secret: canary-secret-key"] = "must have header names as keys",
      ["Host: canary-secret-key"] = "must not set Host",
      ["X-Key: canary\27-secret-key"] = "must carry no control characters in X-Key",
      ["X-Key: canary\0-secret-key"] = "must carry no control characters in X-Key",
      [("X-Key: canary-secret-key"):rep(3000)] = "is larger than 64 KiB"} do
      fails(line("--header", from(bytes)), part)
    end
    fails("yes 'X-Key: canary-secret-key' | " .. line("--header", "@-"), "larger than 64 KiB")
    fails(": | " .. line("--header", "@-", "--secret-file", "-"),
      "--secret-file and --header cannot both be the standard input")
  end)
end)
