-- The command asks for a secret on a terminal; terminal_spec has jobs and signals.

local command = require "spec.support.command"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()
local trusting = command.trusting
local user = command.user(setup, teardown)

describe("the prompt #slow", function()
  local SHOW = "; echo status $?; "
    .. "stty -a | grep -o -- '-\\?\\(echo\\|isig\\|icanon\\) ' | tr -d '\\n'"

  local function typed(keys, words)
    local line = user:line(words or trusting{"token", "--no-store"},
      {COREBANK_CLIENT_SECRET = false})
    return command.on_terminal(user.home, line .. SHOW, keys)
  end

  local function check_restored(shown)
    assert.is_truthy(shown:find("isig icanon echo", 1, true), shown)
  end

  it("takes a secret without showing it, and the terminal is as before", function()
    local shown = typed(bank.clientSecret .. "\\n")
    assert.is_truthy(shown:find("Client secret: \r?\n[^\n]*token[^\n]*\nstatus 0"))
    assert.is_nil(shown:find(bank.clientSecret, 1, true))
    check_restored(shown)
  end)

  it("lets the line be corrected", function()
    local shown = typed("oops\\025" .. bank.clientSecret .. "x\\177\\n")
    assert.is_truthy(shown:find("status 0", 1, true))
  end)

  for name, keys in pairs{["^C"] = "\\003more\\n", ["^C within a line"] = "abc\\003more\\n",
    ["^D"] = "\\004more\\n", ["^D within a line"] = "abc\\004more\\n",
    ["^Z within a line"] = "abc\\032more\\n"} do
    it("is cancelled by " .. name, function()
      local shown = typed(keys)
      assert.is_truthy(shown:find("cancelled", 1, true), shown)
      assert.is_truthy(shown:find("status 130", 1, true), shown)
      check_restored(shown)
    end)
  end

  it("says what is wrong with what was typed", function()
    assert.is_truthy(typed("\\n"):find("what was typed is empty", 1, true))
    local shown = typed(("x"):rep(500) .. "\\n")
    assert.is_truthy(shown:find("what was typed is longer than 400 bytes", 1, true))
    assert.is_nil(shown:find("xxxx"))
  end)

  it("comes only when all else is right", function()
    for _, words in ipairs{{"token", "--timeout", "0"}, {"token", "--base-url", "ftp"},
      {"token", "--attempts", "99"}, {"token", "--prompt", "--attempts", "99"}} do
      local shown = typed("\\n", words)
      assert.is_truthy(shown:find("status 2", 1, true), shown)
      assert.is_nil(shown:find("Client secret", 1, true), shown)
    end
  end)

  it("can be forced, and a signal that ends it restores the terminal", function()
    local line = user:line(trusting{"token", "--no-store", "--prompt"})
    local asked = ("until grep -q 'Client secret' %s/shown; do sleep 0.05; done"):format(user.home)
    local shown = command.on_terminal(user.home,
      ("%s & %s; kill -TERM $!; wait $!"):format(line, asked) .. SHOW, "")
    assert.is_truthy(shown:find("status 143", 1, true), shown)
    check_restored(shown)
  end)
end)
