-- S19: a script does not go on with an old token, and a program gets one without a shell's help.

local command = require "spec.support.command"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()
local quoted = files.quoted
local user = command.user(before_each, after_each)

-- The words of a shell, with the bank's authority.
local function line(words, changes) return user:line(command.trusting(words), changes) end

local function run(words, changes) return user:run(line(words, changes)) end

local WRONG = {COREBANK_CLIENT_SECRET = "canary-secret-wrong"}

describe("S19: --format env #slow", function()
  it("prints false, and nothing else, whatever it was that failed", function()
    local failing = {
      [line{"token", "--format", "env", "--no-store", "--timeout", "0"}] = 2,
      [line{"token", "--format=env", "--no-such-flag"}] = 2,
      [line({"token", "--format", "env"}, {COREBANK_CLIENT_SECRET = false}) .. " --no-prompt"] = 2,
      [line({"token", "--no-store", "--format", "env"}, WRONG)] = 3,
      [line{"token", "--format", "env", "--attempts", "1", "--base-url",
        "https://localhost:" .. sandbox.closedPort()}] = 4,
      [user:line{"token", "--format", "env"}] = 5,
      [line{"token", "--format", "env", "--leeway", "9999", "--no-store"}] = 7,
    }
    for words, status in pairs(failing) do
      local result = user:run(words)
      assert.equal(status, result.status, result.err)
      assert.equal("false\n", result.out)
    end
  end)

  it("prints nothing on failure in any other format", function()
    for _, format in ipairs{"token", "header", "json", "dotenv"} do
      local result = run({"token", "--no-store", "--format", format}, WRONG)
      assert.equal(3, result.status)
      assert.equal("", result.out)
    end
  end)

  it("stops a script that evaluates it, in every shell", function()
    local denied = line({"token", "--no-store", "--format", "env"}, WRONG)
    local granted = line{"token", "--no-store", "--format", "env"}
    for shell, script in pairs{
      ["sh -e"] = 'eval "$(%s)"; echo went on', ["bash -e"] = 'eval "$(%s)"; echo went on',
      ["dash -e"] = 'eval "$(%s)"; echo went on', ["zsh -fe"] = 'eval "$(%s)"; echo went on',
      sh = 'eval "$(%s)" || exit; echo went on', zsh = 'eval "$(%s)" || exit; echo went on',
      ["fish --no-config"] = '%s | source; or exit; echo went on',
    } do
      local path = user.home .. "/script"
      files.write(path, script:format(denied))
      local result = user:run(shell .. " " .. path)
      assert.equal("", result.out, shell)
      assert.equal(1, result.status, shell)
      files.write(path, script:format(granted) .. ' "$COREBANK_TOKEN_TYPE"')
      assert.equal("went on Bearer\n", user:run(shell .. " " .. path).out, shell)
    end
  end)
end)

describe("S19: --format dotenv #slow", function()
  it("prints lines that take no quotes, as docker --env-file reads them", function()
    local out = run{"token", "--no-store", "--format", "dotenv"}.out
    assert.is_truthy(out:find("^COREBANK_ACCESS_TOKEN=canary%-token%-[%w%-]+\n"
      .. "COREBANK_TOKEN_TYPE=Bearer\nCOREBANK_TOKEN_EXPIRES_AT=%d+\n$"), out)
  end)
end)

describe("S19: exec #slow", function()
  local SHOW = 'echo "$COREBANK_ACCESS_TOKEN|$COREBANK_TOKEN_TYPE|$COREBANK_TOKEN_EXPIRES_AT"'

  it("runs a program with the token, the one in the store when it is good", function()
    local posts = bank:posts()
    local shown = run{"exec", "--", "sh", "-c", SHOW}.out
    assert.is_truthy(shown:find("^canary%-token%-[%w%-]+|Bearer|%d+\n$"), shown)
    assert.equal(shown, run({"exec", "--", "sh", "-c", SHOW}, {COREBANK_ACCESS_TOKEN = "old"}).out)
    assert.equal(1, bank:posts() - posts)
  end)

  it("passes its words on as they are, also those that look like ours", function()
    local result = run{"exec", "--timeout", "9", "--", "printf", "<%s>", "--", "--client-secret",
      "x", "--help", "a b", "", "$HOME", "--header"}
    assert.equal("<--><--client-secret><x><--help><a b><><$HOME><--header>", result.out)
    result = run{"exec", "--header", "X-A: b", "--", "printf", "<%s>", "--", "--password", "x"}
    assert.equal("<--><--password><x>", result.out)
  end)

  it("ends with the program's status, or by its signal", function()
    assert.equal(0, run{"exec", "--", "true"}.status)
    assert.equal(42, run{"exec", "--", "sh", "-c", "exit 42"}.status)
    assert.equal(143, run{"exec", "--", "sh", "-c", "kill -TERM $$"}.status)
  end)

  it("is that program: no process stands between", function()
    local script = ("sh -c 'echo $$; exec %s'"):format(line{"exec", "--", "sh", "-c", "echo $$"}
      :gsub("'", "'\\''"))
    local pids = user:run(script).out
    assert.is_truthy(pids:find("^(%d+)\n%1\n$"), pids)
  end)

  it("leaves no secret in the environment, and all else as it was", function()
    local changes = {COREBANK_CLIENT_SECRET_FILE = "", OWN = "kept"}
    local shown = run({"exec", "--no-store", "--", "env"}, changes).out
    assert.is_nil(shown:find("canary-secret", 1, true))
    assert.is_nil(shown:find("COREBANK_CLIENT_SECRET=", 1, true))
    assert.is_truthy(shown:find("\nOWN=kept\n", 1, true))
    assert.is_truthy(shown:find("COREBANK_CLIENT_ID=", 1, true))
  end)

  it("leaves no descriptor open but those that it was given, and no signal held back", function()
    local function facts(words)
      local script = "grep Sig /proc/self/status | grep -v SigQ; ls /proc/self/fd | wc -l"
      words[#words + 1] = "sh"
      words[#words + 1] = "-c"
      words[#words + 1] = script
      return words
    end
    local bare = facts{}
    local plain = user:run("sh -c " .. quoted(bare[3]))
    local ran = run(facts{"exec", "--no-store", "--"})
    assert.equal(plain.out, ran.out)
    local inherited = user:run(line{"exec", "--no-store", "--", "cat", "/dev/fd/7"}
      .. " 7<" .. quoted(bank.caFile))
    assert.equal(files.content(bank.caFile), inherited.out)
  end)

  it("says what cannot be run, as env does: 127, or 126", function()
    local missing = run{"exec", "--", "/no/such/program"}
    assert.equal(127, missing.status)
    assert.is_truthy(missing.err:find("cannot run /no/such/program: No such file", 1, true))
    assert.equal(127, run{"exec", "--", "no-such-program-anywhere"}.status)
    assert.equal(127, run{"exec", "--", ""}.status)
    assert.equal(126, run{"exec", "--", "/tmp"}.status)
    assert.equal(126, run{"exec", "--", bank.caFile}.status)
    assert.is_nil(run{"exec", "--", "a\27[31m"}.err:find("\27", 1, true))
  end)

  it("runs nothing when there is no token", function()
    for status, words in pairs{[3] = {"exec", "--", "echo", "ran"},
      [2] = {"exec", "--timeout", "0", "--", "echo", "ran"}} do
      local result = run(words, WRONG)
      assert.equal("", result.out)
      assert.equal(status, result.status)
    end
  end)

  it("wants its program after --", function()
    for _, words in ipairs{{"exec"}, {"exec", "--"}, {"exec", "echo", "ran"},
      {"token", "--", "exec"}, {"exec", "--no-store", "echo", "--", "ran"},
      {"token", "--client-id", "exec", "--", "a"}} do
      local result = run(words)
      assert.equal(2, result.status)
      assert.equal("", result.out)
    end
    assert.is_truthy(run{"exec", "echo"}.err:find("exec takes its program after --: exec", 1, true))
  end)

  it("gives the program the token of the refresh that was due", function()
    local scenario = bank:scenario{{validity = 4, expiration = false}, {}}
    local words = {"token", "--refresh-ahead", "3.9", "--base-url", scenario.baseUrl}
    local first = run(words).out
    words = {"exec", "--refresh-ahead", "3.9", "--base-url", scenario.baseUrl, "--", "sh", "-c",
      'echo "$COREBANK_ACCESS_TOKEN"'}
    sandbox.await("a refresh", function() return run(words).out ~= first end)
    assert.equal(2, scenario:posts())
  end)
end)
