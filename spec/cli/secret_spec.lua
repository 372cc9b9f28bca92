-- Secrets of the command: from where it takes them, and that none is repeated.

local command = require "spec.support.command"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()
local trusting = command.trusting
local user = command.user(setup, teardown)

describe("a secret #slow", function()
  it("on the command line is refused, whatever it is called, and never repeated", function()
    for _, words in ipairs{
      {"token", "--client-secret", "hunter2"}, {"token", "--client-secret=hunter2"},
      {"--clientSecret", "hunter2", "token"}, {"hunter2", "--secret", "x"},
      {"token", "--client_secret", "hunter2"}, {"token", "--password=hunter2"},
      {"token", "--key-password", "hunter2"}, {"token", "--client-key-password=hunter2"},
    } do
      local err = user:fails(2, words)
      assert.is_truthy(err:find("never taken from the command line", 1, true))
      assert.is_nil(err:find("hunter2"))
    end
  end)

  it("in a wrong place is not repeated either", function()
    for _, words in ipairs{{"hunter2"}, {"token", "hunter2"}, {"token", "--hunter2"},
      {"token", "-phunter2"}, {"token", "--timeout", "hunter2"}, {"token", "--header", "hunter2"},
      {"token", "--secret-file", "hunter2"}, {"token", "--format", "hunter2"}} do
      assert.is_nil(user:fails(2, words):find("hunter2"), table.concat(words, " "))
    end
  end)

  it("comes from a file, which wins over the environment", function()
    local path = user:write("secret", bank.clientSecret .. "\n")
    local words = trusting{"token", "--no-store", "--secret-file", path}
    assert.equal(0, user:run(words, {COREBANK_CLIENT_SECRET = "wrong"}).status)
  end)

  it("file that cannot be used says why", function()
    local open = user:write("open", "canary-secret-file", "644")
    assert.is_truthy(user:fails(2, {"token", "--secret-file", open}):find("chmod", 1, true))
    assert.is_truthy(user:fails(2, {"token", "--secret-file", user.home})
      :find("not a regular file", 1, true))
    assert.is_truthy(user:fails(2, {"token", "--key-password-file", open, "--client-cert", "x"})
      :find("--key-password-file", 1, true))
  end)

  it("that is nowhere, without a terminal, is said to be missing", function()
    local line = user:line(trusting{"token"})
    line = line:gsub("'COREBANK_CLIENT_SECRET=[^']*'", "")
    local result = user:run("setsid -w " .. line)
    assert.equal(2, result.status)
    assert.is_truthy(result.err:find("--secret-file FILE, or run this on a terminal", 1, true))
  end)
end)
