-- The words of the command: flags, help, mistakes; which reader reads them.

local arguments = require "corebank.auth.cli.arguments"
local command = require "spec.support.command"
local exits = require "corebank.auth.cli.exits"
local flags = require "corebank.auth.cli.flags"
local files = require "spec.support.files"
local options = require "corebank.auth.options.list"
local plain = require "corebank.auth.cli.plain"

local trusting = command.trusting
local quoted = files.quoted
local user = command.user(setup, teardown)

describe("the command line", function()
  it("has a flag for every option, the secrets and callbacks excepted", function()
    local help = user:run{"token", "--help"}
    assert.equal(0, help.status)
    -- The flag --store is the command's own, and takes a URL.
    local without = {clientSecret = true, clientKeyPassword = true, onEvent = true}
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
      {"forget", "--help"}, {"doctor", "--help"}, {"exec", "--help"}, {"request", "-h"},
      {"completion", "--help"}} do
      local help = user:run(words)
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

  it("has a line for each command in its help", function()
    local help = user:run{"--help"}.out
    for _, name in ipairs(flags.commands) do
      local line = "\n   " .. name .. "[^\n]* " .. flags.summaries[name]:gsub("%p", "%%%0") .. "\n"
      assert.is_truthy(help:find(line), name)
    end
  end)

  it("tells the version", function()
    assert.equal(require("corebank.auth").version() .. "\n", user:run{"--version"}.out)
  end)

  it("that is wrong ends in 2, and says so", function()
    local known = {
      [{}] = "a command is needed", [{"tokn"}] = "Did you mean 'token'",
      [{"status"}] = "unknown command; there are token, request, exec, explain, forget, doctor,",
      [{"token", "again"}] = "too many arguments", [{"token", "--ca-fil", "x"}] = "unknown option",
      [{"token", "--ca-file"}] = "requires an argument",
      [{"token", "--format", "xml"}] = "must be one of",
      [{"explain", "--refresh"}] = "unknown option '--refresh'; only token has it\n",
      [{"doctor", "--format", "x"}] = "unknown option '--format'; only token and explain have it\n",
      [{"--fail", "request"}] = "unknown option '--fail'; it comes after its command, request\n",
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
      assert.is_truthy(user:fails(2, words):find(message, 1, true), message)
    end
  end)

  it("is read by argparse, and says so where that is missing; a plain one needs none", function()
    local without = {LUA_PATH = require "lfs".currentdir() .. "/lua/?.lua"}
    for _, words in ipairs{{"--help"}, {"--version"}, {"token", "--timeout", "often"}} do
      local err = user:fails(1, words, without)
      assert.is_truthy(err:find("^corebank%-auth: argparse, .*, is not installed"), err)
      assert.is_truthy(err:find("lua-argparse", 1, true))
      assert.is_nil(err:find("bug", 1, true), err)
    end
    assert.equal(0, user:run(trusting{"token"}, without).status)
  end)

  it("needs the modules of corebank-auth, and one line says so where they are missing", function()
    for _, without in ipairs{
      {LUA_PATH = user.home .. "/?.lua"},    -- all of them
      {LUA_CPATH = user.home .. "/?.so"},    -- the core
    } do
      local err = user:fails(1, {"token"}, without)
      assert.is_truthy(err:find("^corebank%-auth: the Lua modules of corebank%-auth are not "
        .. "installed for Lua 5%.%d: install [^\n]+LUA_CPATH[^\n]+\n$"), err)
      assert.equal("", user:run({"token"}, without).out)
      for _, format in ipairs{{"token", "--format", "env"}, {"token", "--format=env"}} do
        assert.equal("false\n", user:run(format, without).out)   -- what eval is to fail with
      end
    end
  end)

  it("says in one line why a module cannot be loaded", function()
    local path = user:write("broken.lua", "return =")
    local err = user:fails(1, {"token"}, {LUA_PATH = path})   -- every module is this file
    assert.is_truthy(err:find "^corebank%-auth: cannot be loaded: [^\n]*broken%.lua:1: [^\n]+\n$",
      err)
  end)

  it("is not read by an argparse without choices, which is older than 0.7", function()
    user:write("argparse.lua", [[
      return function() return {option = function() return {} end} end]])
    local old = {LUA_PATH = user.home .. "/?.lua;" .. os.getenv "LUA_PATH"}
    local err = user:fails(1, {"--help"}, old)
    assert.is_truthy(err:find "^corebank%-auth: argparse, .*, is older than 0%.7: install", err)
    assert.equal(0, user:run(trusting{"token"}, old).status)
  end)

  it("that lacks an option says which flag or variable gives it", function()
    local err = user:fails(2, {"token"}, {COREBANK_BASE_URL = false})
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
    local script = user:write("completion", user:run{"completion", "bash"}.out)
    os.execute("bash -n " .. quoted(script))
    local found = files.lines_of(("bash -c 'source %s; COMP_WORDS=(corebank-auth tok); "
      .. "COMP_CWORD=1; _corebank-auth; echo ${COMPREPLY[*]}'"):format(script))
    assert.equal("token", found[1])
    assert.equal(0, user:run{"completion", "zsh"}.status)
    assert.equal(0, user:run{"completion", "fish"}.status)
  end)
end)
