-- The command, from outside: words in, output and exit status out.

local arguments = require "corebank.auth.cli.arguments"
local calendar = require "corebank.auth.cli.calendar"
local command = require "spec.support.command"
local exits = require "corebank.auth.cli.exits"
local files = require "spec.support.files"
local options = require "corebank.auth.options.list"
local plain = require "corebank.auth.cli.plain"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()
local quoted = files.quoted
local home

setup(function() home = files.new_folder() end)
teardown(function() os.execute("rm -rf " .. quoted(home)) end)

local function check_quiet(result)
  assert.is_nil(result.err:find("canary%-"), "a planted secret is in what goes to stderr")
  return result
end

-- Runs the command. `changes` are to its environment: false takes a variable away.
local function run(words, changes)
  local environment = command.environment(home)
  for name, value in pairs(changes or {}) do environment[name] = value end
  return check_quiet(command.run(home, command.line(environment, words)))
end

local function with_ca(...)
  local words = {...}
  words[#words + 1] = "--ca-file"
  words[#words + 1] = bank.caFile
  return words
end

local function fails(status, words, changes)
  local result = run(words, changes)
  assert.equal(status, result.status, result.err)
  assert.equal("", result.out)
  assert.is_truthy(result.err:find("^corebank%-auth: [^\n]+\n"), result.err)
  return result.err
end

local function write_file(name, text, mode)
  local path = home .. "/" .. name
  files.write(path, text)
  os.execute(("chmod %s %s"):format(mode or "600", quoted(path)))
  return path
end

describe("the command line", function()
  it("has a flag for every option, the secrets and callbacks excepted", function()
    local help = run{"token", "--help"}
    assert.equal(0, help.status)
    local without = {clientSecret = true, clientKeyPassword = true, onEvent = true, store = true}
    for _, option in ipairs(options) do
      local flag = "--" .. option.name:gsub("%u", function(c) return "-" .. c:lower() end)
      if option.name == "headers" then flag = "--header" end
      local there = (help.out:gsub("\n", " \n")):find("\n   " .. flag .. " ", 1, true) ~= nil
      assert.equal(not without[option.name], there, flag)
      assert.is_string(option.meaning)
    end
  end)

  it("has help with examples and every exit status, for all of it and for each command", function()
    for _, words in ipairs{{"--help"}, {"-h"}, {"token", "--help"}, {"explain", "-h"},
      {"forget", "--help"}, {"doctor", "--help"}, {"exec", "--help"},
      {"completion", "--help"}} do
      local help = run(words)
      assert.equal(0, help.status)
      assert.equal("", help.err)
      assert.is_truthy(help.out:find("^Usage: corebank%-auth "))
      assert.is_truthy(help.out:find("\nExamples:\n   %S"))
      for _, entry in ipairs(exits.list) do
        assert.is_truthy(help.out:find(("\n   %-4d %s"):format(entry[1], entry[2]), 1, true))
      end
      for line in help.out:gmatch("[^\n]+") do assert.is_true(#line <= 88, line) end
    end
  end)

  it("tells the version", function()
    assert.equal(require("corebank.auth").version() .. "\n", run{"--version"}.out)
  end)

  it("that is wrong ends in 2, and says so", function()
    local known = {
      [{}] = "a command is needed", [{"tokn"}] = "Did you mean 'token'",
      [{"status"}] = "unknown command; there are token, exec, explain, forget, doctor, completion",
      [{"token", "again"}] = "too many arguments", [{"token", "--ca-fil", "x"}] = "unknown option",
      [{"token", "--ca-file"}] = "requires an argument",
      [{"token", "--format", "xml"}] = "must be one of",
      [{"explain", "--refresh"}] = "unknown option",
      [{"token", "--timeout", "soon"}] = "--timeout must be a number",
      [{"token", "--timeout", "0"}] = "--timeout must be a number above 0",
      [{"token", "--header", "no colon"}] = "Name: value",
      [{"token", "--header", "A: 1", "--header", "A: 2"}] = "once",
      [{"token", "--header", "Host: x"}] = "must not set Host",
      [{"token", "--prompt", "--secret-file", "x"}] = "exclude each other",
      [{"token", "--no-store", "--store-dir", "/x"}] = "exclude each other",
      [{"token", "--store-dir", "not/absolute"}] = "--store-dir must be",
      [{"token", "--client-key", "x"}] = "--client-key needs --client-cert",
      [{"token", "--clientId", "x"}] = "unknown option; did you mean '--client-id'?",
      [{"token", "--CA_FILE=x"}] = "unknown option; did you mean '--ca-file'?",
    }
    for words, message in pairs(known) do
      assert.is_truthy(fails(2, words):find(message, 1, true), message)
    end
  end)

  it("is read by argparse, and says so where that is missing; a plain one needs none", function()
    local without = {LUA_PATH = require "lfs".currentdir() .. "/lua/?.lua"}
    for _, words in ipairs{{"--help"}, {"--version"}, {"token", "--timeout", "often"}} do
      local err = fails(1, words, without)
      assert.is_truthy(err:find("^corebank%-auth: argparse, .*, is not installed"), err)
      assert.is_truthy(err:find("lua-argparse", 1, true))
      assert.is_nil(err:find("bug", 1, true), err)
    end
    assert.equal(0, run(with_ca("token"), without).status)
  end)

  it("that lacks an option says which flag or variable gives it", function()
    local err = fails(2, {"token"}, {COREBANK_BASE_URL = false})
    assert.is_truthy(err:find("--base-url is missing; give it or set COREBANK_BASE_URL", 1, true))
  end)

  it("is read the same by the quick reader and by argparse, wherever the first reads it", function()
    local words = {"token", "explain", "exec", "--format", "json", "xml", "--timeout", "5", "x",
      "--prompt",
      "--no-store", "--ca-file", "", "--store-dir", "/d", "--header", "A: 1", "--refresh", "--",
      "-h", "--secret-file", "--min-tls", "1.3", "--client-secret"}
    local read_quickly = 0
    local seed = os.time()
    math.randomseed(seed)
    for _ = 1, 3000 do
      local line = {words[math.random(3)]}
      for i = 2, math.random(7) do line[i] = words[math.random(#words)] end
      local quick = plain(line)
      if quick then
        read_quickly = read_quickly + 1
        assert.same(arguments.read(line), quick, table.concat(line, " ") .. " seed " .. seed)
      end
    end
    assert.is_true(read_quickly > 100)
  end)

  it("is completed by bash", function()
    local script = write_file("completion", run{"completion", "bash"}.out)
    os.execute("bash -n " .. quoted(script))
    local found = files.lines_of(("bash -c 'source %s; COMP_WORDS=(corebank-auth tok); "
      .. "COMP_CWORD=1; _corebank-auth; echo ${COMPREPLY[*]}'"):format(script))
    assert.equal("token", found[1])
    assert.equal(0, run{"completion", "zsh"}.status)
    assert.equal(0, run{"completion", "fish"}.status)
  end)
end)

describe("a secret #slow", function()
  it("on the command line is refused, whatever it is called, and never repeated", function()
    for _, words in ipairs{
      {"token", "--client-secret", "hunter2"}, {"token", "--client-secret=hunter2"},
      {"--clientSecret", "hunter2", "token"}, {"hunter2", "--secret", "x"},
      {"token", "--client_secret", "hunter2"}, {"token", "--password=hunter2"},
      {"token", "--key-password", "hunter2"}, {"token", "--client-key-password=hunter2"},
    } do
      local err = fails(2, words)
      assert.is_truthy(err:find("never taken from the command line", 1, true))
      assert.is_nil(err:find("hunter2"))
    end
  end)

  it("in a wrong place is not repeated either", function()
    for _, words in ipairs{{"hunter2"}, {"token", "hunter2"}, {"token", "--hunter2"},
      {"token", "-phunter2"}, {"token", "--timeout", "hunter2"}, {"token", "--header", "hunter2"},
      {"token", "--secret-file", "hunter2"}, {"token", "--format", "hunter2"}} do
      assert.is_nil(fails(2, words):find("hunter2"), table.concat(words, " "))
    end
  end)

  it("comes from a file, which wins over the environment", function()
    local path = write_file("secret", bank.clientSecret .. "\n")
    local words = with_ca("token", "--no-store", "--secret-file", path)
    assert.equal(0, run(words, {COREBANK_CLIENT_SECRET = "wrong"}).status)
  end)

  it("file that cannot be used says why", function()
    local open = write_file("open", "canary-secret-file", "644")
    assert.is_truthy(fails(2, {"token", "--secret-file", open}):find("chmod", 1, true))
    assert.is_truthy(fails(2, {"token", "--secret-file", home}):find("not a regular file", 1, true))
    assert.is_truthy(fails(2, {"token", "--key-password-file", open, "--client-cert", "x"})
      :find("--key-password-file", 1, true))
  end)

  it("that is nowhere, without a terminal, is said to be missing", function()
    local line = command.line(command.environment(home), with_ca("token"))
    line = line:gsub("'COREBANK_CLIENT_SECRET=[^']*'", "")
    local result = check_quiet(command.run(home, "setsid -w " .. line))
    assert.equal(2, result.status)
    assert.is_truthy(result.err:find("--secret-file FILE, or run this on a terminal", 1, true))
  end)
end)

describe("the prompt #slow", function()
  local SHOW = "; echo status $?; "
    .. "stty -a | grep -o -- '-\\?\\(echo\\|isig\\|icanon\\) ' | tr -d '\\n'"

  local function typed(keys, words)
    local environment = command.environment(home)
    environment.COREBANK_CLIENT_SECRET = false
    local line = command.line(environment, words or with_ca("token", "--no-store"))
    return command.on_terminal(home, line .. SHOW, keys)
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
    local line = command.line(command.environment(home), with_ca("token", "--no-store", "--prompt"))
    local asked = ("until grep -q 'Client secret' %s/shown; do sleep 0.05; done"):format(home)
    local shown = command.on_terminal(home,
      ("%s & %s; kill -TERM $!; wait $!"):format(line, asked) .. SHOW, "")
    assert.is_truthy(shown:find("status 143", 1, true), shown)
    check_restored(shown)
  end)
end)

describe("corebank-auth token #slow", function()
  it("prints a token and nothing else", function()
    local result = run(with_ca("token", "--no-store"))
    assert.equal(0, result.status)
    assert.equal("", result.err)
    assert.is_truthy(result.out:find("^canary%-token%-[%w%-]+\n$"))
  end)

  it("prints a header for curl", function()
    assert.is_truthy(run(with_ca("token", "--no-store", "--format", "header")).out
      :find("^Authorization: Bearer canary%-token%-[%w%-]+\n$"))
  end)

  it("prints JSON", function()
    local text = run(with_ca("token", "--no-store", "--format", "json")).out
    local read = require("dkjson").decode(text)
    assert.equal("Bearer", read.tokenType)
    assert.equal(3600, read.tokenValiditySec)
    assert.is_truthy(read.accessToken:find("^canary%-token"))
    assert.is_true(math.abs(read.expirationTime / 1000 - read.expiresAt) <= 2)
    assert.is_true(math.abs(read.expiresAt - os.time() - 3600) <= 2)
  end)

  it("prints JSON without what the bank did not say", function()
    local scenario = bank:scenario{{expiration = false, validity = 60}}
    local text = run(with_ca("token", "--no-store", "--format", "json", "--base-url",
      scenario.baseUrl)).out
    assert.is_nil(text:find("expirationTime", 1, true))
    assert.equal(60, require("dkjson").decode(text).tokenValiditySec)
  end)

  it("prints what a shell evaluates", function()
    local line = command.line(command.environment(home),
      with_ca("token", "--no-store", "--format", "env"))
    local lines = files.lines_of(('eval "$(%s)"; sh -c \'echo "$COREBANK_ACCESS_TOKEN"; '
      .. 'echo "$COREBANK_TOKEN_TYPE $COREBANK_TOKEN_EXPIRES_AT"\''):format(line))
    assert.is_truthy(lines[1]:find("^canary%-token%-[%w%-]+$"))
    assert.is_truthy(lines[2]:find("^Bearer %d+$"))
  end)

  it("sends the headers that are given", function()
    local scenario = bank:scenario{{}}
    local result = run(with_ca("token", "--no-store", "--base-url", scenario.baseUrl, "--header",
      "X-Gateway-Key: a: b", "--header", "X-Empty:"))
    assert.equal(0, result.status)
    local headers = scenario:requests()[1].headers
    assert.same({"a: b"}, headers["x-gateway-key"])
    assert.same({""}, headers["x-empty"])
  end)

  it("fails when what it prints cannot be written, and says so", function()
    local line = command.line(command.environment(home), with_ca("token", "--no-store"))
    line = line:gsub("^env", "env --default-signal=PIPE")   -- whatever the specs inherited
    for _, closed in ipairs{line .. " >/dev/full", line .. " >&-",
      "{ sleep 0.3; " .. line .. "; echo $? >&2; } | true"} do
      local result = check_quiet(command.run(home, closed))
      assert.is_truthy(result.err:find("cannot write to the standard output", 1, true), closed)
      assert.is_true(result.status == 1 or result.err:find("\n1\n$") ~= nil, closed)
    end
  end)

  it("is interrupted by a signal while it waits: 130, and no trace of Lua", function()
    local scenario = bank:scenario{{delay = 5}}
    local line = command.line(command.environment(home),
      with_ca("token", "--no-store", "--base-url", scenario.baseUrl))
    local result = check_quiet(command.run(home,
      "timeout --preserve-status -s INT 0.5 " .. line))
    assert.equal(130, result.status)
    assert.equal("corebank-auth: interrupted\n", result.err)
  end)
end)

describe("the store #slow", function()
  local environment

  before_each(function()
    local cache = files.new_folder()
    environment = {XDG_CACHE_HOME = cache, COREBANK_BASE_URL = bank:scenario{{}, {}, {}}.baseUrl}
  end)
  after_each(function() os.execute("rm -rf " .. quoted(environment.XDG_CACHE_HOME)) end)

  local function succeeds(words)
    local result = run(words, environment)
    assert.equal(0, result.status, result.err)
    assert.equal("", result.err)
    return result.out
  end

  it("gives the same token to every call, for one POST", function()
    local posts = bank:posts()
    local first = succeeds(with_ca("token"))
    assert.equal(first, succeeds(with_ca("token")))
    assert.equal(first, succeeds(with_ca("token", "--timeout", "7", "--header", "X-Request-ID: b")))
    assert.equal(1, bank:posts() - posts)
  end)

  it("can be turned off and moved", function()
    local first = succeeds(with_ca("token"))
    assert.not_equal(first, succeeds(with_ca("token", "--no-store")))
    local elsewhere = environment.XDG_CACHE_HOME .. "/elsewhere"
    assert.not_equal(first, succeeds(with_ca("token", "--store-dir", elsewhere)))
    assert.equal(first, succeeds(with_ca("token")))
  end)

  it("gives up a token that the API does not accept", function()
    local posts = bank:posts()
    local first = succeeds(with_ca("token", "--refresh"))   -- fresh as it is
    assert.equal(1, bank:posts() - posts)
    local second = succeeds(with_ca("token", "--refresh"))
    assert.not_equal(first, second)
    assert.equal(second, succeeds(with_ca("token")))
    local result = run(with_ca("token", "--refresh"), environment)
    assert.equal(second, result.out)   -- one that is seconds old
    assert.equal(8, result.status)
    assert.is_truthy(result.err:find("the last refresh was seconds ago", 1, true), result.err)
    assert.equal(2, bank:posts() - posts)
  end)

  it("is explained without asking the bank", function()
    local posts = bank:posts()
    local none = run({"explain"}, environment)
    assert.equal(9, none.status)
    assert.is_truthy(none.out:find("\ntoken     none;"))
    assert.equal(0, bank:posts() - posts)
    succeeds(with_ca("token"))
    local told = succeeds{"explain"}
    assert.is_truthy(told:find("token     fresh, 359%d s left, until %d%d%d%d%-"), told)
    assert.is_truthy(told:find("store     file in " .. environment.XDG_CACHE_HOME, 1, true), told)
    assert.is_truthy(told:find("problem   none", 1, true))
    assert.is_nil(told:find("canary"))
    assert.equal(1, bank:posts() - posts)
  end)

  it("tells the next process of a denial, and explains it", function()
    local posts = bank:posts()
    environment.COREBANK_CLIENT_SECRET = "wrong"
    fails(3, with_ca("token"), environment)
    assert.is_truthy(fails(3, with_ca("token"), environment):find("nothing was sent", 1, true))
    assert.equal(1, bank:posts() - posts)
    local told = run({"explain"}, environment).out
    assert.is_truthy(told:find("does not accept these credentials.* %-%-client%-id"), told)
    assert.is_truthy(told:find("\npause     the bank is not asked for %d s\n"), told)
  end)

  it("forgets", function()
    local first = succeeds(with_ca("token"))
    assert.equal("", succeeds{"forget"})
    assert.equal("", succeeds{"forget"})
    assert.not_equal(first, succeeds(with_ca("token")))
  end)

  it("that fails is said to fail, and the token comes all the same", function()
    local result = run(with_ca("token", "--store-dir", "/proc/no such folder"), environment)
    assert.equal(0, result.status)
    assert.is_truthy(result.out:find("^canary%-token"))
    assert.is_truthy(result.err:find("^corebank%-auth: the store failed %([^\n]*\n$"), result.err)
    local open = environment.XDG_CACHE_HOME .. "/open"
    os.execute("mkdir -m 777 " .. quoted(open))
    fails(1, {"forget", "--store-dir", open}, environment)
  end)

  it("that has the token spares initialising libcurl", function()
    local script = write_file("started.lua", [[
      local core = require "corebank.auth.core"
      local status = require "corebank.auth.cli.main".run(arg)
      io.stderr:write(status, " ", tostring(core.libcurl_is_started()), "\n")]])
    local function started()
      local all = command.environment(home)
      for name, value in pairs(environment) do all[name] = value end
      local line = command.line(all, with_ca("token")):gsub("bin/corebank%-auth", script, 1)
      return command.run(home, line).err
    end
    assert.equal("0 true\n", started())
    assert.equal("0 false\n", started())
  end)

  it("gets the refresh that was under way when the old token was printed", function()
    local scenario = bank:scenario{{validity = 4, expiration = false}, {delay = 0.5}}
    environment.COREBANK_BASE_URL = scenario.baseUrl
    local words = with_ca("token", "--refresh-ahead", "3")
    local first = succeeds(words)
    os.execute("sleep 2.5")
    assert.equal(first, succeeds(words))
    assert.equal(2, scenario:posts())
    assert.not_equal(first, succeeds(words))
    assert.equal(2, scenario:posts())
  end)
end)

describe("the exit status #slow", function()
  local function status_of(words, changes)
    table.insert(words, "--no-store")
    return fails(run(words, changes).status, words, changes), run(words, changes).status
  end

  it("is 3 when the bank denies", function()
    local err, status = status_of(with_ca("token"), {COREBANK_CLIENT_SECRET = "wrong"})
    assert.equal(3, status)
    assert.is_truthy(err:find("check --client-id and the client secret", 1, true))
  end)

  it("is 4 when the bank cannot be reached, 5 when it cannot be trusted", function()
    local closed = "https://localhost:" .. sandbox.closedPort()
    local err, status = status_of(with_ca("token", "--base-url", closed, "--attempts", "1"))
    assert.equal(4, status)
    assert.is_truthy(err:find("\ncorebank-auth doctor", 1, true))
    assert.equal(4, select(2, status_of(with_ca("token", "--base-url", "https://no-such.invalid",
      "--attempts", "1"))))
    assert.equal(5, select(2, status_of(with_ca("token", "--base-url", bank.urls.selfsigned))))
    local moved = bank:scenario{{redirect = "https://elsewhere.example/"}}
    assert.equal(5, select(2, status_of(with_ca("token", "--base-url", moved.baseUrl))))
  end)

  it("is 6 when the bank cannot answer, 7 when the answer is no use", function()
    local down = bank:scenario{{status = 503, headers = {["Retry-After"] = "200"}}}
    local err, status = status_of(with_ca("token", "--base-url", down.baseUrl))
    assert.equal(6, status)
    assert.is_truthy(err:find("try again in 200 s", 1, true), err)
    local odd = bank:scenario{{body = "<html>"}}
    assert.equal(7, select(2, status_of(with_ca("token", "--base-url", odd.baseUrl,
      "--attempts", "1"))))
    local gone = bank:scenario{{status = 404}}
    assert.equal(7, select(2, status_of(with_ca("token", "--base-url", gone.baseUrl))))
  end)

  it("is known for every problem there is", function()
    local source = files.content("lua/corebank/auth/exchange/problem.lua")
    for code in source:gmatch('\n%-%-%-| "([%w_]+)"') do
      local listed = false
      for _, entry in ipairs(exits.list) do
        for i = 3, #entry do listed = listed or entry[i] == code end
      end
      assert.is_true(listed, code)
    end
  end)
end)

describe("a certificate's date", function()
  it("is read as OpenSSL and as libcurl for GnuTLS write it", function()
    assert.equal(4070908800, calendar.epoch("Jan  1 00:00:00 2099 GMT"))
    assert.equal(4070908800, calendar.epoch("2099-01-01 00:00:00 GMT"))
    assert.equal(1709210096, calendar.epoch("Feb 29 12:34:56 2024 GMT"))
    assert.equal(951782400, calendar.epoch(" 2000-02-29 00:00:00 GMT"))
    assert.is_nil(calendar.epoch("soon"))
    assert.is_nil(calendar.epoch(""))
  end)
end)
