-- Every example of every page runs: those in Lua and for a shell against the sandbox bank, those
-- for nginx by `nginx -t`. Those that cannot are listed with the reason.

local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local lfs = require "lfs"
local pages = require "spec.support.pages"
local process = require "spec.process"
local sandbox = require "spec.sandbox"

local quoted = files.quoted
local bank = sandbox.bank()

-- "PAGE: FIRST LINE" -> why it does not run here.
local SYSTEM = "installs for the whole system; packaging_spec.lua installs into a folder"
local NOT_RUN = {
  ["README.md: apt-get install gcc make cmake pkg-config libcurl4-openssl-dev libcjson-dev \\"] =
    SYSTEM,
  ["README.md: export COREBANK_BASE_URL=https://bank.example"] =
    "names a CA file that is not there; readme_spec.lua runs token.lua with these variables",
  ["CONTRIBUTING.md: script/setup test"] = SYSTEM,
  ["CONTRIBUTING.md: script/build lua5.4"] =
    "builds what other runs may be using; script/busted starts the same bank",
  ["docs/gateway.md: apt-get install nginx libnginx-mod-http-lua gcc make cmake pkg-config \\"] =
    SYSTEM,
  ["docs/install.md: luarocks --lua-version 5.4 make"] = SYSTEM,
  ["docs/install.md: luarocks --lua-version 5.4 --local make"] = SYSTEM,
  ["docs/install.md: luarocks --lua-version 5.4 make --tree /opt/corebank"] = SYSTEM,
  ["docs/install.md: mkdir -p ~/.luarocks"] = SYSTEM,
  ['docs/install.md: luarocks --lua-version 5.1 make LUA_INCDIR="$(pkg-config '
    .. '--variable=includedir luajit)"'] = SYSTEM,
  ["docs/install.md: luarocks --lua-version 5.4 pack corebank-auth"] = SYSTEM,
  ['docs/install.md: man -M "$(luarocks --lua-version 5.4 show --rock-dir corebank-auth)/man" '
    .. "corebank-auth"] = SYSTEM,
  ["docs/install.md: cmake -B build -DCBA_LUA=lua5.4 -DCBA_LUADIR=/usr/local/share/lua/5.4 "
    .. "-DCBA_LIBDIR=/usr/local/lib/lua/5.4 \\"] = SYSTEM,
  ['docs/install.md: export LUA_PATH="$PWD/lua/?.lua;;" LUA_CPATH="$PWD/build/?.so;;"'] =
    "needs a build in build/; script/busted sets the same variables",
  ['docs/plugins.md: local auth = require "corebank.auth"'] =
    "is a plugin; spec/gateway/examples_spec.lua runs it in nginx",
  ["docs/performance.md: script/bench --only once,kept --rounds 3   # these two parts, quickly; "
    .. "into build/bench/results"] = "measures for minutes; bench_spec.lua runs script/bench",
}

-- All examples in a language that run here.
local function runnable(language)
  local list = {}
  for _, page in ipairs(pages.list()) do
    for _, example in ipairs(pages.examples(page, language)) do
      if not NOT_RUN[example.name] then list[#list + 1] = example end
    end
  end
  return list
end

describe("the list of examples that do not run", function()
  it("names examples that are there", function()
    local there = {}
    for _, page in ipairs(pages.list()) do
      for _, language in ipairs{"lua", "sh", "nginx"} do
        for _, example in ipairs(pages.examples(page, language)) do there[example.name] = true end
      end
    end
    for name in pairs(NOT_RUN) do assert.is_true(there[name], name .. " is not there") end
  end)
end)

describe("an example #transfer #slow:", function()
  local home

  before_each(function()
    home = files.new_folder()
    assert(lfs.mkdir(home .. "/bin"))
    for _, name in ipairs{"secret", "retail.secret", "treasury.secret", "cards.secret"} do
      files.write(home .. "/" .. name, bank.clientSecret .. "\n", "600")
    end
    files.write(home .. "/bin/my-job", '#!/bin/sh\n[ -n "$COREBANK_ACCESS_TOKEN" ]\n')
    files.write(home .. "/bin/corebank-auth", ('#!/bin/sh\nexec %s %s "$@"\n'):format(
      os.getenv "CBA_LUA", quoted(lfs.currentdir() .. "/bin/corebank-auth")))
    for _, name in ipairs{"my-job", "corebank-auth"} do
      process.chmod(home .. "/bin/" .. name, 448)   -- 0700
    end
  end)

  after_each(function() assert(os.execute("rm -rf " .. quoted(home))) end)

  -- An example's text with this bank in place of the page's.
  local function here(code, base)
    local function literally(text) return (text:gsub("%%", "%%%%")) end
    return (code:gsub("https://bank%.example", literally(base))
      :gsub("/etc/my%-client%.secret", literally(home .. "/secret"))
      :gsub('"/etc/bank/"', ("%q"):format(home .. "/"))
      :gsub('"my%-client"', ("%q"):format(bank.clientId))
      :gsub("=my%-client%f[%s%z]", "=" .. literally(bank.clientId)))
  end

  -- Runs a program of the system with a text as its file; what it prints, if it fails.
  local function run(program, code, base)
    files.write(home .. "/example", here(code, base) .. "\n")
    local words = {"cd", quoted(home) .. ";", "env -u COREBANK_CLIENT_SECRET -u XDG_CACHE_HOME",
      "PATH=" .. quoted(home) .. '/bin:"$PATH"'}
    for name, value in pairs{HOME = home, CURL_CA_BUNDLE = bank.caFile, COREBANK_BASE_URL = base,
      COREBANK_CLIENT_ID = bank.clientId, COREBANK_CLIENT_SECRET_FILE = home .. "/secret",
      COREBANK_CA_FILE = bank.caFile} do
      words[#words + 1] = quoted(name .. "=" .. value)
    end
    words[#words + 1] = program .. " example >out 2>&1 </dev/null; echo $?"
    local lines = files.lines_of(table.concat(words, " "))
    local out = files.content(home .. "/out")
    assert.is_nil(out:find "canary%-secret")
    assert.equal("0", lines[#lines], out)
  end

  for _, example in ipairs(runnable "lua") do
    it(example.name, function()
      run(os.getenv "CBA_LUA", example.code, bank:scenario{}.baseUrl)
    end)
  end

  for _, example in ipairs(runnable "sh") do
    it(example.name, function() run("bash -eu", example.code, bank:scenario{}.baseUrl) end)
  end

  -- A configuration around lines for the http block, a server or a location.
  local function around(code)
    local level = code:find "\nhttp {\n" and "main" or code:find "init_[%w_]*by_lua" and "http"
      or ("\n" .. code):find "\nlocation " and "server" or "location"
    local text = code:gsub("https://bank%.example", "http://127.0.0.1:1")
    if level == "main" then return nil end
    if level == "location" then text = "location / {\n" .. text .. "\n}" end
    if level ~= "http" then text = "server {\nlisten 127.0.0.1:1;\n" .. text .. "\n}" end
    return ("%s\npid pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n"
      .. "client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n"
      .. "uwsgi_temp_path uwsgi; scgi_temp_path scgi;\nproxy_cache_path cache keys_zone=pages:1m;\n"
      .. "%s\n}\n"):format(gateway.module_lines(), text)
  end

  for _, example in ipairs(runnable "nginx") do
    local text = around(example.code)
    if text then   -- a whole configuration is examples/nginx.conf, which gateway/examples_spec runs
      it(example.name, function()
        files.write(home .. "/nginx.conf", text)
        local command = "nginx -t -q $(nginx -h 2>&1 | grep -q '^ *-e ' && echo -e stderr) "
          .. "-p %s -c nginx.conf 2>&1; echo $?"
        local lines = files.lines_of(command:format(quoted(home)))
        assert.equal("0", lines[#lines], table.concat(lines, "\n"))
      end)
    end
  end
end)
