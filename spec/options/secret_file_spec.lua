-- S12, S13: secrets where containers, orchestrators and shells put them.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local quoted = files.quoted

local user = command.user(setup, teardown)

-- The line of a shell that runs the command with these words.
local function line(words, changes)
  local environment = {COREBANK_CLIENT_SECRET = false, COREBANK_CA_FILE = bank.caFile}
  for name, value in pairs(changes or {}) do environment[name] = value end
  return user:line(words, environment)
end

local function gives_a_token(text)
  local result = user:run(text)
  assert.equal("", result.err)
  assert.equal(0, result.status)
  return result
end

local function fails(text, part)
  local result = user:run(text)
  assert.equal(2, result.status)
  assert.is_truthy((result.out .. result.err):find(part, 1, true), result.out .. result.err)
end

describe("S12: a secret file that every user may read #slow", function()
  -- In a mount namespace of its own, where `mode` and `mount` are those of the file; nil when this
  -- system allows nobody that.
  local function mounted(mode, mount, words, changes)
    if files.lines_of("unshare -m true 2>/dev/null; echo $?")[1] ~= "0" then return nil end
    local dir = user.home .. "/mount"
    os.execute("mkdir -p " .. dir)
    local script = ("mount -t tmpfs none %s && printf %%s %s >%s/real && chmod %s %s/real && "
      .. "ln -s real %s/secret && mount -o remount,%s %s && %s"):format(dir,
      quoted(bank.clientSecret), dir, mode, dir, dir, mount, dir, line(words, changes))
    return "unshare -m sh -c " .. quoted(script)
  end

  local function unprivileged(text)
    if text then return false end
    pending("mounting needs privileges that this process has not")
    return true
  end

  it("is taken from a read-only mount, through a link too", function()
    local path = user.home .. "/mount/secret"
    for _, mode in ipairs{"0444", "0644", "0440", "0400"} do
      local text = mounted(mode, "ro", {"token", "--no-store", "--secret-file", path})
      if unprivileged(text) then return end
      gives_a_token(text)
    end
    gives_a_token(mounted("0444", "ro", {"token", "--no-store"},
      {COREBANK_CLIENT_SECRET_FILE = path}))
    local words = {"doctor", "--no-store", "--secret-file", path}
    local shown = gives_a_token(mounted("0444", "ro", words))
    assert.is_truthy(shown.out:find("mode 0444", 1, true))
  end)

  it("is refused on the same mount when that can be written", function()
    local path = user.home .. "/mount/secret"
    local text = mounted("0444", "rw", {"token", "--no-store", "--secret-file", path})
    if unprivileged(text) then return end
    fails(text, "is open to every user")
  end)

  it("is refused elsewhere, and what to do is said in the caller's words", function()
    for _, mode in ipairs{"444", "644", "604", "641", "602"} do
      local path = user:write("open", bank.clientSecret, mode)
      fails(line{"token", "--no-store", "--secret-file", path}, "chmod it to 0600 or 0640")
      fails(line{"token", "--no-store", "--secret-file", path}, "defaultMode 0400")
      fails(line{"token", "--no-store", "--secret-file", path}, "--any-secret-mode")
      fails(line({"token", "--no-store"}, {COREBANK_CLIENT_SECRET_FILE = path}),
        "--any-secret-mode")
      local ok, message = pcall(function() return (auth.secret.file(path)) end)
      assert.is_false(ok)
      assert.is_truthy(message:find("auth.secret.file(path, {anyMode = true})", 1, true), message)
    end
  end)

  it("is named with a ~ that no shell expanded, and the message says so", function()
    local hint = "No such file or directory; ~ is not expanded here: write the whole path"
    fails(line{"token", "--no-store", "--secret-file=~/secret"}, hint)
    fails(line({"token", "--no-store"}, {COREBANK_CLIENT_SECRET_FILE = "~/secret"}), hint)
    local ok, message = pcall(auth.secret.file, "~/secret")
    assert.is_false(ok)
    assert.is_truthy(message:find(hint, 1, true), message)
  end)

  it("is taken when the caller says that any mode will do", function()
    for _, mode in ipairs{"444", "666"} do
      local path = user:write("open", bank.clientSecret .. "\n", mode)
      survive.case{options = {clientSecret = auth.secret.file(path, {anyMode = true})}}
      gives_a_token(line{"token", "--no-store", "--any-secret-mode", "--secret-file", path})
      gives_a_token(line({"token", "--no-store", "--any-secret-mode"},
        {COREBANK_CLIENT_SECRET_FILE = path}))
    end
  end)

  it("is read again with the mode that the caller allows", function()
    local path = user:write("open", "canary-secret-old", "644")
    local secret = auth.secret.file(path, {anyMode = true})
    files.write(path, bank.clientSecret)
    survive.case{options = {clientSecret = secret}}
  end)

  it("has no other option", function()
    local path = user:write("secret", bank.clientSecret)
    for given, part in pairs{
      [{anymode = true}] = "unknown option 'anymode'; there is only anyMode",
      [{["a\27b"] = true}] = "unknown option 'a?b'",
      [{anyMode = 1}] = "anyMode must be a boolean, not number",
      [7] = "the options must be a table, not number"} do
      local ok, message = pcall(function() return (auth.secret.file(path, given)) end)
      assert.is_false(ok)
      assert.is_truthy(message:find("secret_file_spec.lua:%d+: secret.file: "), message)
      assert.is_truthy(message:find(part, 1, true), message)
    end
  end)

  it("with a key's passphrase goes by the same rules", function()
    local path = user:write("passphrase", bank.files.clientKeyPassword, "644")
    local words = {"token", "--no-store", "--base-url", bank.urls.mtls, "--client-cert",
      bank.files.clientCert, "--client-key", bank.files.clientKeyEncrypted,
      "--key-password-file", path}
    local secret = {COREBANK_CLIENT_SECRET = bank.clientSecret}
    fails(line(words, secret), "given to --key-password-file is open to every user")
    words[#words + 1] = "--any-secret-mode"
    gives_a_token(line(words, secret))
  end)
end)

describe("S13: the command reads a secret from #slow", function()
  local function token(...) return line{"token", "--no-store", ...} end

  it("the standard input, a file or a pipe", function()
    local piped = ("printf '%%s\\n' %s | "):format(quoted(bank.clientSecret))
    gives_a_token(piped .. token("--secret-file", "-"))
    gives_a_token(piped .. token("--secret-file=-"))
    gives_a_token(piped .. token("--secret-file", "/dev/stdin"))
    local path = user:write("secret", bank.clientSecret)
    gives_a_token(token("--secret-file", "-") .. " <" .. path)
    local shown = gives_a_token(piped .. line{"doctor", "--no-store", "--secret-file", "-"})
    assert.is_truthy(shown.out:find("secret    standard input\n", 1, true), shown.out)
  end)

  it("a shell's <(…)", function()
    local text = token("--secret-file"):gsub("'", "'\\''")
    gives_a_token(("bash -c '%s <(printf %%s %s)'"):format(text, bank.clientSecret))
    local doctor = line{"doctor", "--no-store", "--client-cert", bank.files.clientCert,
      "--base-url", bank.urls.mtls, "--client-key", bank.files.clientKeyEncrypted}
    doctor = doctor:gsub("'", "'\\''")
    gives_a_token(("bash -c '%s --secret-file <(printf %%s %s) --key-password-file <(echo %s)'")
      :format(doctor, bank.clientSecret, bank.files.clientKeyPassword))
  end)

  it("a pipe with a name, to its end, however slowly it is written", function()
    local fifo = user.home .. "/fifo"
    assert(os.execute("mkfifo -m 600 " .. fifo))
    local half = #bank.clientSecret / 2 - #bank.clientSecret / 2 % 1
    gives_a_token(("{ sleep 0.1; printf %%s %s; sleep 0.1; printf %%s %s; } >%s & %s"):format(
      bank.clientSecret:sub(1, half), bank.clientSecret:sub(half + 1), fifo,
      token("--secret-file", fifo)))
    gives_a_token(("printf %%s %s >%s & %s"):format(bank.clientSecret, fifo,
      line({"token", "--no-store"}, {COREBANK_CLIENT_SECRET_FILE = fifo})))
  end)

  it("a pipe that brings nothing, or too much, and says so", function()
    fails(": | " .. token("--secret-file", "-"), "is empty")
    fails("yes canary-secret | " .. token("--secret-file", "-"), "is longer than 400 bytes")
    fails("printf 'canary-secret\\r\\n' | " .. token("--secret-file", "-"),
      "the standard input, for --secret-file, ends in a carriage return (CR)")
  end)

  it("no device, folder or terminal", function()
    for _, path in ipairs{"/dev/zero", "/dev/null", user.home} do
      fails(token("--secret-file", path), "is not a regular file or a pipe")
    end
    fails(token("--secret-file", "-") .. " </dev/null", "is not a regular file or a pipe")
    local shown = command.on_terminal(user.home, token("--secret-file", "-"), "")
    assert.is_truthy(shown:find("standard input, for --secret-file, is a terminal", 1, true), shown)
  end)

  it("the standard input for one thing only", function()
    fails(": | " .. token("--secret-file", "-", "--key-password-file", "-"),
      "--secret-file and --key-password-file cannot both be the standard input")
  end)

  it("a pipe, and is interrupted there", function()
    local fifo = user.home .. "/silent"
    assert(os.execute("mkfifo -m 600 " .. fifo))
    local result = user:run("timeout -s INT 1 " .. token("--secret-file", fifo))
    assert.is_truthy(result.err:find("interrupted", 1, true), result.err)
    assert.equal(124, result.status)   -- what timeout says when it had to
  end)

  it("a pipe once: a denial is not followed by a word on a file", function()
    local result = user:run("printf canary-secret-wrong | " .. token("--secret-file", "-"))
    assert.equal(3, result.status)
    assert.is_nil(result.err:find("read again", 1, true), result.err)
  end)
end)

describe("S13: the library", function()
  it("reads no pipe, and does not wait for one", function()
    local fifo = user.home .. "/library"
    assert(os.execute("mkfifo -m 600 " .. fifo))
    for _, path in ipairs{fifo, "-"} do
      local ok, message = pcall(function() return (auth.secret.file(path)) end)
      assert.is_false(ok)
      assert.is_truthy(message:find("is not a regular file", 1, true)
        or message:find("No such file", 1, true), message)
    end
  end)
end)
