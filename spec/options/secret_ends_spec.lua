-- S2: what came to the ends of a secret, a client id or a URL by way of an editor, a shell or
-- another system. One line feed at the end is dropped, all else is the caller's mistake.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local files = require "spec.support.files"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local SECRET = bank.clientSecret

-- what is put before, what behind, and how the mistake reads
local ends = {
  {"", "\r", "ends in a carriage return %(CR%); remove it"},
  {"", "\r\n", "ends in a carriage return %(CR%); remove it"},
  {"", "\n\n", "ends in a second line feed %(LF%); remove it"},
  {"", "\n\r", "ends in a carriage return"},
  {"", " ", "ends in a space %(U%+0020%)"},
  {"", " \n", "ends in a space"},
  {"", "\t", "ends in a tab %(U%+0009%)"},
  {"", "\27", "ends in a control character %(U%+001B%)"},
  {"", "\127", "ends in a control character %(U%+007F%)"},
  {"", "\194\133", "ends in a control character %(U%+0085%)"},
  {"", "\194\160", "ends in a no%-break space %(U%+00A0%)"},
  {"", "\226\128\139", "ends in a zero%-width space %(U%+200B%)"},
  {"", "\226\128\141", "ends in a zero%-width joiner"},
  {"", "\226\128\168", "ends in a line separator %(U%+2028%)"},
  {"", "\226\128\142", "ends in a direction mark"},
  {"", "\226\129\160", "ends in a word joiner"},
  {"", "\227\128\128", "ends in a space %(U%+3000%)"},
  {"\239\187\191", "", "begins with a byte order mark %(BOM%); remove it"},
  {"\239\187\191", "\r\n",
    "begins with a byte order mark %(BOM%) and ends in a carriage return %(CR%); remove both"},
  {" ", "", "begins with a space"},
  {"\n", "", "begins with a line feed %(LF%)"},
  {"\t", "\t", "begins with a tab .* and ends in a tab"},
}

local function raised(...)
  local ok, message = pcall(...)
  assert.is_false(ok)
  survive.no_canary(message)
  assert.is_nil(message:find("%c"), message)
  return message
end

local function with_file(bytes, use)
  local path = os.tmpname()
  files.write(path, bytes, "600")
  local ok, fault = pcall(use, path)
  os.remove(path)
  assert(ok, fault)
end

describe("S2: a secret with something invisible at an end", function()
  it("is refused from a file", function()
    for _, case in ipairs(ends) do
      with_file(case[1] .. "canary-secret" .. case[2], function(path)
        local message = raised(function() return (auth.secret.file(path)) end)
        assert.is_truthy(message:find("secret.file: " .. path:gsub("%p", "%%%0") .. " " .. case[3]),
          message)
      end)
    end
  end)

  it("is refused from the environment, before anything is sent", function()
    local scenario = bank:scenario{{}}
    for _, case in ipairs(ends) do
      process.setenv("COREBANK_CLIENT_SECRET", case[1] .. "canary-secret" .. case[2])
      local message = raised(auth.authenticate, survive.options{baseUrl = scenario.baseUrl,
        clientSecret = survive.ABSENT})
      assert.is_truthy(message:find("clientSecret %(from COREBANK_CLIENT_SECRET%) " .. case[3]),
        message)
      message = raised(function() return (auth.secret.env "COREBANK_CLIENT_SECRET") end)
      assert.is_truthy(message:find("secret.env: COREBANK_CLIENT_SECRET " .. case[3]), message)
    end
    process.setenv("COREBANK_CLIENT_SECRET", nil)
    assert.equal(0, scenario:posts())
  end)

  it("that is nothing else is refused or missing", function()
    for _, bytes in ipairs{" ", "\r\n", "\239\187\191", "\n\n"} do
      with_file(bytes, function(path)
        raised(function() return (auth.secret.file(path)) end)
      end)
    end
    process.setenv("COREBANK_CLIENT_SECRET", "\n")
    local message = raised(auth.authenticate, survive.options{clientSecret = survive.ABSENT})
    process.setenv("COREBANK_CLIENT_SECRET", nil)
    assert.is_truthy(message:find("clientSecret is missing", 1, true), message)
  end)

  it("in UTF-16 is told so", function()
    for _, bytes in ipairs{"\255\254s\0e\0", "\254\255\0s\0e"} do
      with_file(bytes, function(path)
        local message = raised(function() return (auth.secret.file(path)) end)
        assert.is_truthy(message:find("is UTF-16; save it as UTF-8", 1, true), message)
      end)
    end
  end)

  it("loses one line feed, whatever it is from", function()
    with_file(SECRET .. "\n", function(path)
      survive.case{options = {clientSecret = auth.secret.file(path)}}
    end)
    process.setenv("COREBANK_CLIENT_SECRET", SECRET .. "\n")
    survive.case{options = {clientSecret = survive.ABSENT}}
    survive.case{options = {clientSecret = auth.secret.env "COREBANK_CLIENT_SECRET"}}
    process.setenv("COREBANK_CLIENT_SECRET", nil)
  end)

  it("is taken as it is when it is a Lua string", function()
    local scenario = bank:scenario{{}}
    for _, case in ipairs{{"", "\n", "\\n"}, {" ", "\r", "\\r"}, {"\239\187\191", " ", " "}} do
      -- which the bank denies, but it was sent as it was
      auth.authenticate(survive.options{baseUrl = scenario.baseUrl,
        clientId = case[1] .. "id" .. case[2],
        clientSecret = case[1] .. "canary-secret" .. case[2]})
      local requests = scenario:requests()
      local body = requests[#requests].body
      local tail = case[3] .. '"'
      assert.is_truthy(body:find('canary-secret' .. tail, 1, true))
      assert.is_truthy(body:find('id' .. tail, 1, true))
      assert.is_truthy(body:find('"' .. case[1] .. "canary-secret", 1, true))
    end
  end)

  it("may have it in the middle", function()
    with_file("canary-secret \194\160with\tmore", function(path)
      assert.equal("secret(…)", tostring(auth.secret.file(path)))
    end)
  end)

  it("may end in what an emoji ends in", function()
    with_file("canary-secret\226\157\164\239\184\143", function(path)
      assert.equal("secret(…)", tostring(auth.secret.file(path)))
    end)
  end)
end)

describe("S2: text of the environment", function()
  it("loses one line feed, and has nothing else invisible at its ends", function()
    local options = {COREBANK_CLIENT_ID = "clientId", COREBANK_BASE_URL = "baseUrl",
      COREBANK_CA_FILE = "caFile"}
    local values = survive.options()
    for name, option in pairs(options) do
      local whole = values[option]
      process.setenv(name, whole .. "\n")
      survive.case{options = {[option] = survive.ABSENT}}
      for _, case in ipairs(ends) do
        process.setenv(name, case[1] .. whole .. case[2])
        local message = raised(auth.authenticate, survive.options{[option] = survive.ABSENT})
        local wanted = ("%s %%(from %s%%) %s"):format(option, name, case[3])
        assert.is_truthy(message:find(wanted), message)
      end
      process.setenv(name, nil)
    end
  end)
end)

describe("S2: the command #slow", function()
  local user = command.user(setup, teardown)

  local function fails(words, changes, keys)
    local line = user:line(words, changes)
    local shown
    if keys then
      shown = command.on_terminal(user.home, line .. "; echo the status is $?", keys)
      assert.is_truthy(shown:find("the status is 2", 1, true), shown)
    else
      local result = user:run(line)
      assert.equal(2, result.status)
      shown = result.out .. result.err
    end
    survive.no_canary(shown)
    return shown
  end

  it("says what is at the ends of a client id and a URL, from flag and variable", function()
    local before = bank:posts()
    for _, case in ipairs{{"", "\r", "ends in a carriage return"}, {"", "\194\160", "no-break"},
      {"\239\187\191", "", "byte order"}} do
      for flag, variable in pairs{["--client-id"] = "COREBANK_CLIENT_ID",
        ["--base-url"] = "COREBANK_BASE_URL"} do
        local value = case[1] .. command.environment(user.home)[variable] .. case[2]
        local shown = fails({"token", "--no-store", flag, value})
        assert.is_truthy(shown:find(flag, 1, true) and shown:find(case[3], 1, true), shown)
        shown = fails({"token", "--no-store"}, {[variable] = value})
        assert.is_truthy(shown:find(variable, 1, true) and shown:find(case[3], 1, true), shown)
      end
    end
    assert.equal(before, bank:posts())
  end)

  it("says what is at the ends of what is typed", function()
    local words, changes = {"token", "--no-store", "--prompt"}, {COREBANK_CLIENT_SECRET = false}
    local shown = fails(words, changes, "canary-secret \\n")
    assert.is_truthy(shown:find("what was typed ends in a space (U+0020)", 1, true), shown)
    shown = fails(words, changes, "\\357\\273\\277canary-secret\\n")
    assert.is_truthy(shown:find("what was typed begins with a byte order mark", 1, true), shown)
  end)

  it("says what is at the ends of a secret in a file and in the environment", function()
    local path = user:write("secret", "canary-secret\r\n")
    local shown = fails({"token", "--no-store", "--secret-file", path})
    assert.is_truthy(shown:find("--secret-file ends in a carriage return (CR)", 1, true), shown)
    shown = fails({"doctor", "--no-store"}, {COREBANK_CLIENT_SECRET = "canary-secret\r"})
    assert.is_truthy(shown:find("COREBANK_CLIENT_SECRET) ends in a carriage", 1, true), shown)
  end)
end)
