-- LuaRocks does the same under every Lua that the specs run on: once is enough.
if os.getenv "CBA_BUILD" ~= "lua5.4" then
  return
end

local files = require "spec.support.files"
local lfs = require "lfs"
local sandbox = require "spec.sandbox"

local quoted = files.quoted

-- What a user writes, in a folder of their own.
local SCRIPT = [[
package.preload["corebank.auth.options.suggest"] = function() return "a program's own" end
local auth = require "corebank.auth"
assert(require "corebank.auth.options.suggest" == "a program's own")
local token = assert(auth.authenticate{caFile = os.getenv "COREBANK_CA_FILE"})
assert(#token.accessToken > 0)
print(debug.getinfo(auth.authenticate, "S").source)
print("policy from " .. debug.getinfo(require "corebank.auth.exchange.exchange".new, "S").source)
print(tostring(token))
]]

local function output_of(command)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1"))
  local output = pipe:read "*a"
  assert(pipe:close(), output)
  return output
end

describe("packaging #packaging #slow", function()
  local work, source

  -- Nothing of the caller's environment, and nobody's home, takes part. LuaRocks asks no server
  -- for argparse: it is told that it is there, as it is, from Debian's package.
  local function run(command)
    local bank = sandbox.bank()
    local environment = {
      PATH = os.getenv "PATH", HOME = work .. "/home", TMPDIR = work,
      LUAROCKS_CONFIG = work .. "/luarocks.lua",
      COREBANK_BASE_URL = bank.url, COREBANK_CA_FILE = bank.caFile,
      COREBANK_CLIENT_ID = bank.clientId, COREBANK_CLIENT_SECRET = bank.clientSecret,
    }
    local words = {"env -i"}
    for name, value in pairs(environment) do
      table.insert(words, name .. "=" .. quoted(value))
    end
    return output_of(table.concat(words, " ") .. " sh -euc " .. quoted(command))
  end

  -- Runs the script with a tree's modules, as `luarocks path` has a shell find them.
  local function authenticate(lua, rocks, tree)
    local output = run(("cd %s; eval \"$(%s --tree %s path)\"; %s user.lua"):format(
      quoted(work), rocks, quoted(tree), lua))
    local installed = "@" .. tree .. "/share/lua/"
    assert.matches(installed, output, 1, true)
    assert.matches("policy from " .. installed, output, 1, true)
    assert.matches("Bearer token, %d+ s left", output)
    -- The command needs no such help.
    output = run(quoted(tree .. "/bin/corebank-auth") .. ' token --ca-file "$COREBANK_CA_FILE"')
    assert.matches("^canary%-token%-[%w%-]+\n$", output)
    local rock = run(("%s --tree %s show --rock-dir corebank-auth"):format(rocks, quoted(tree)))
    assert.equal(files.content "docs/corebank-auth.1",
      files.content(rock:match "[^\n]+" .. "/man/man1/corebank-auth.1"))
  end

  -- From a copy: LuaRocks has CMake build in the folder that it finds the sources in.
  local function make(rocks, tree)
    run(("cd %s; rm -rf build.luarocks; %s make --tree %s"):format(
      quoted(source), rocks, quoted(tree)))
  end

  setup(function()
    work = files.new_folder()
    source = work .. "/the source"
    assert(lfs.mkdir(work .. "/home"))
    assert(lfs.mkdir(source))
    files.write(work .. "/user.lua", SCRIPT)
    files.write(work .. "/luarocks.lua", 'rocks_provided = {argparse = "0.7.1-1"}\n')
    output_of(("tar -c --exclude=./build --exclude=./.git . | tar -x -C %s"):format(quoted(source)))
  end)

  teardown(function()
    output_of("rm -rf " .. quoted(work))
  end)

  it("luarocks make installs what authenticates, for Lua 5.4; so does the packed rock", function()
    local rocks = "luarocks --lua-version 5.4"
    local made, unpacked = work .. "/made for 5.4", work .. "/unpacked"
    make(rocks, made)
    authenticate("lua5.4", rocks, made)

    run(("cd %s; %s --tree %s pack corebank-auth"):format(quoted(work), rocks, quoted(made)))
    output_of("rm -rf " .. quoted(made))
    run(("cd %s; %s --tree %s install ./*.rock"):format(quoted(work), rocks, quoted(unpacked)))
    authenticate("lua5.4", rocks, unpacked)
  end)

  it("names the package of the very Lua that is missing", function()
    for _, lua in ipairs{"lua5.1", "lua5.2", "lua5.3", "lua5.4", "luajit"} do
      local said = run(("cd %s; ! PKG_CONFIG_LIBDIR=/none cmake -B missing-%s -DCBA_LUA=%s"):format(
        quoted(source), lua, lua))
      local named = said:match "Debian, Ubuntu:%s+apt%-get install (lib[^\n]+)\n"
      local found = 0   -- LuaJIT's has two names; each Debian knows one
      for package in (named or ""):gmatch "lib%S+" do
        local files_of = output_of("dpkg-query -L " .. quoted(package) .. " || true")
        if files_of:find "/lua%.h\n" then found = found + 1 end
      end
      assert.equal(1, found, said)
    end
  end)

  it("CMake installs the man page with the command: beside it, or where one says", function()
    local prefix = work .. "/prefix of mine"
    local configure = ("cd %s; cmake -B command -DCBA_LUA=lua5.4 -DCBA_BINDIR=%s"):format(
      quoted(source), quoted(prefix .. "/bin"))
    run(configure .. "; cmake --install command --component command")
    assert.matches("^#!/usr/bin/env lua5%.4\n", files.content(prefix .. "/bin/corebank-auth"))
    local page = files.content "docs/corebank-auth.1"
    assert.equal(page, files.content(prefix .. "/share/man/man1/corebank-auth.1"))

    run(("%s -DCBA_MANDIR=%s; cmake --install command --component command"):format(configure,
      quoted(prefix .. "/pages")))
    assert.equal(page, files.content(prefix .. "/pages/man1/corebank-auth.1"))
  end)

  it("luarocks make installs what authenticates, for LuaJIT", function()
    local include = output_of("pkg-config --variable=includedir luajit"):gsub("%s+$", "")
    local rocks = "luarocks --lua-version 5.1"
    local made = work .. "/made for LuaJIT"
    make(rocks .. " LUA_INCDIR=" .. quoted(include), made)
    authenticate("luajit", rocks, made)

    -- The plugin for Kong has a rock of its own, that for APISIX is in this one.
    local modules = made .. "/share/lua/5.1/"
    assert.is_truthy(lfs.attributes(modules .. "apisix/plugins/corebank-auth.lua"))
    assert.is_nil(lfs.attributes(modules .. "kong"))
    run(("cd %s; luarocks --lua-version 5.1 make "
      .. "lua/kong/kong-plugin-corebank-auth-scm-1.rockspec --tree %s"):format(quoted(source),
        quoted(made)))
    for _, name in ipairs(files.lines_of "ls lua/kong/plugins/corebank-auth") do
      assert.equal(files.content("lua/kong/plugins/corebank-auth/" .. name),
        files.content(modules .. "kong/plugins/corebank-auth/" .. name))
    end
  end)

  it("CMake installs the library and both plugins", function()
    local prefix = work .. "/by CMake"
    run(("cd %s; cmake -B whole -DCBA_LUA=luajit -DCBA_LUADIR=%s -DCBA_LIBDIR=%s; "
      .. "cmake --build whole; cmake --install whole"):format(quoted(source),
        quoted(prefix .. "/lua"), quoted(prefix .. "/lib")))
    for _, path in ipairs(files.lines_of "cd lua && find . -name '*.lua'") do
      assert.equal(files.content("lua/" .. path), files.content(prefix .. "/lua/" .. path))
    end
  end)
end)

describe("dist.ini", function()
  it("has what opm needs, and names folders and files that are there", function()
    local fields = {}
    for name, value in files.content "dist.ini":gmatch "\n([%w_]+) = ([^\n]+)" do
      fields[name] = value
    end
    for _, name in ipairs{"name", "abstract", "author", "is_original", "license", "lib_dir"} do
      assert.is_truthy(fields[name], name)
    end
    for _, name in ipairs{"lib_dir", "doc_dir", "main_module"} do
      assert.is_truthy(lfs.attributes(fields[name]), name)
    end
  end)
end)
