-- S1: the command on a terminal. It asks for a secret only where somebody can answer, and whatever
-- happens while it asks, it ends, and the terminal is as it was.

local command = require "spec.support.command"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()
local quoted = files.quoted
local user = command.user(setup, teardown)

local SETTINGS = "stty -a | grep -o -- '-\\?\\(echo\\|isig\\|icanon\\) ' | tr -d '\\n'"

-- The command without a secret, as words of a shell.
local function asking(...)
  return user:line(command.trusting{"token", "--no-store", ...}, {COREBANK_CLIENT_SECRET = false})
end

-- Runs a script of bash on a terminal, with job control: each job is a process group of its own.
local function in_shell(script, keys)
  local shown = command.on_terminal(user.home, "bash -mc " .. quoted(script), keys or "")
  assert.is_nil(shown:find("canary%-secret"), "the secret is shown")
  return shown
end

-- That the line ended with status 2, without asking.
local function asks_nobody(line, message)
  local shown = command.on_terminal(user.home, line .. "; echo status $?; " .. SETTINGS, "")
  assert.is_truthy(shown:find("status 2\r?\n"), shown)
  assert.is_nil(shown:find("Client secret:", 1, true), shown)
  assert.is_truthy(shown:find("isig icanon echo", 1, true), shown)
  assert.is_truthy(shown:find(message, 1, true), shown)
end

local IN_BACKGROUND = "in the background of its terminal; set COREBANK_CLIENT_SECRET or "
  .. "COREBANK_CLIENT_SECRET_FILE, or give --secret-file FILE, or run this in the foreground"
local NOWHERE = "there is no client secret; set COREBANK_CLIENT_SECRET or "
  .. "COREBANK_CLIENT_SECRET_FILE, or give --secret-file FILE, or run this on a terminal"

describe("S1: without a secret, the command asks nobody #slow", function()
  it("in the background of its terminal: under timeout, or as a job", function()
    local function job(line) return "bash -mc " .. quoted(line .. " & wait $!") end
    asks_nobody("timeout 20 " .. asking(), IN_BACKGROUND)
    asks_nobody("timeout 20 " .. asking("--prompt"), IN_BACKGROUND)
    asks_nobody(job(asking()), IN_BACKGROUND)
    asks_nobody(job("{ " .. asking() .. " | cat; (exit ${PIPESTATUS[0]}); }"), IN_BACKGROUND)
    local err = quoted(user.home .. "/err2")
    asks_nobody(("stty tostop; %s; s=$?; stty -tostop; cat %s; (exit $s)"):format(
      job(asking("--prompt") .. " 2>" .. err), err), IN_BACKGROUND)
  end)

  it("without a terminal, or where neither input nor messages are on one", function()
    asks_nobody("setsid -w " .. asking(), NOWHERE)
    asks_nobody("setsid -w " .. asking("--prompt"), NOWHERE)
    local err = quoted(user.home .. "/err2")
    asks_nobody(("%s </dev/null 2>%s; s=$?; cat %s; (exit $s)"):format(asking(), err, err), NOWHERE)
    local program = quoted(require "lfs".currentdir() .. "/bin/corebank-auth")
    local elsewhere = asking():gsub("bin/corebank%-auth", function() return program end)
    asks_nobody(("cd %s; nohup %s; s=$?; cat nohup.out; (exit $s)"):format(quoted(user.home),
      elsewhere), NOWHERE)
  end)

  it("with --no-prompt", function()
    asks_nobody(asking("--no-prompt"), "--no-prompt says not to ask for it; set COREBANK_CLIENT")
    local both = user:run(asking("--prompt", "--no-prompt"))
    assert.equal(2, both.status)
    assert.is_truthy(both.err:find("--prompt and --no-prompt exclude each other", 1, true))
  end)
end)

describe("S1: the prompt #slow", function()
  -- The job's process, once it asks.
  local PID = ("until grep -q 'Client secret' %s/shown; do sleep 0.05; done 2>/dev/null; "
    .. "pid=$(cat %s/pid); ")

  -- The command as the job of a shell, which does something to it as soon as it asks.
  local function disturbed(disturbance, after, keys)
    os.remove(user.home .. "/pid")
    local home = user.home
    local job = ("sh -c %s"):format(quoted(("echo $$ >%s/pid; exec %s"):format(home, asking())))
    return in_shell(("{ %s%s; } & %s; echo status $?; %s; %s"):format(PID:format(home, home),
      disturbance, job, SETTINGS, after or ":"), keys)
  end

  it("takes the secret in a pipeline, whatever standard input is", function()
    for _, line in ipairs{asking() .. " | cat; (exit ${PIPESTATUS[0]})", asking() .. " </dev/null",
      asking() .. " 2>/dev/null", asking("--prompt") .. " </dev/null 2>/dev/null"} do
      local shown = in_shell(line .. "; echo status $?; " .. SETTINGS, bank.clientSecret .. "\\n")
      assert.is_truthy(shown:find("Client secret: \r?\ncanary%-token[^\n]*\nstatus 0"), shown)
      assert.is_truthy(shown:find("isig icanon echo", 1, true), shown)
    end
  end)

  for name, status in pairs{TERM = 143, HUP = 129, INT = 130, QUIT = 131, ALRM = 142, USR1 = 138,
    XCPU = 152} do
    it("is ended by SIG" .. name, function()
      local shown = disturbed("ulimit -c 0; kill -" .. name .. " $pid")
      assert.is_truthy(shown:find("status " .. status .. "\r?\n"), shown)
      assert.is_truthy(shown:find("isig icanon echo", 1, true), shown)
    end)
  end

  it("is ended by timeout in the foreground", function()
    local line = "timeout --foreground 1 " .. asking()
    local shown = in_shell(line .. "; echo status $?; " .. SETTINGS)
    assert.is_truthy(shown:find("Client secret:", 1, true), shown)
    assert.is_truthy(shown:find("status 124\r?\n"), shown)
    assert.is_truthy(shown:find("isig icanon echo", 1, true), shown)
  end)

  it("is stopped by ^Z, and cancelled when it goes on, in the background or not", function()
    for _, continue in ipairs{"fg >/dev/null", "bg >/dev/null; wait"} do
      local shown = in_shell(asking() .. "; echo status $?; " .. SETTINGS .. "; " .. continue
        .. "; echo then $?", "abc\\032")
      assert.is_truthy(shown:find("status 148\r?\n"), shown)
      assert.is_truthy(shown:find("isig icanon echo", 1, true), shown)
      assert.is_truthy(shown:find("cancelled\r?\n"), shown)
    end
  end)

  it("ends when it finds itself in the background", function()
    local shown = disturbed("kill -STOP $pid", "bg %2 >/dev/null; wait %2; echo then $?; "
      .. SETTINGS)
    assert.is_truthy(shown:find("status 147\r?\n"), shown)
    assert.is_truthy(shown:find("then 130\r?\nisig icanon echo"), shown)
  end)

  it("shows nothing after a stop during which the shell has set the terminal", function()
    local watch = "{ until ! stty -a </dev/tty | grep -q ' echo '; do sleep 0.05; done; "
      .. "kill $(cat " .. user.home .. "/pid); } & "
    local shown = disturbed("kill -STOP $pid", "stty echo; " .. watch .. "fg %2 >/dev/null; "
      .. "echo then $?; " .. SETTINGS)
    assert.is_truthy(shown:find("then 143\r?\nisig icanon echo"), shown)
  end)
end)
