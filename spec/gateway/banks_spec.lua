-- Several banks in a gateway: each stands alone, and comes and goes by itself (G12, G23).

local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

local bank = sandbox.bank()

local function options(changes)
  return sandbox.literal(gateway.options(changes))
end

-- A location for the bank of that name.
local function location(name)
  return (([[
    location /NAME/ {
      set $NAME_token "";
      rewrite_by_lua_block { require("corebank.auth.nginx").inject("NAME",
        {variable = "NAME_token"}) }
      proxy_set_header Authorization $NAME_token;
      proxy_pass http://api/;
    }]]):gsub("NAME", name))
end

local STATE = [[
  location = /ready/of { content_by_lua_block {
    require("corebank.auth.nginx").ready(ngx.var.arg_name) } }
]]

describe("the banks of a gateway #nginx", function()
  local gate, scenario, secret_file

  before_each(function()
    secret_file = os.tmpname()
    os.remove(secret_file)
    scenario = bank:scenario{}
  end)

  after_each(function()
    os.remove(secret_file)
    gateway.stop_all()
  end)

  local function start(given)
    given.server = STATE .. location "a" .. location "b" .. location "c" .. (given.server or "")
    given.no_setup = true
    gate = gateway.start(given)
  end

  local function write_secret(secret)
    files.write(secret_file, secret .. "\n", "600")
  end

  local function lines(pattern)
    return select(2, gate:log():gsub(pattern, ""))
  end

  it("G12: one with a mistake refuses, and takes no other along", function()
    local mistaken = {
      options{name = "a", baseUrl = scenario.baseUrl, verfy = false},
      options{name = "a", baseUrl = "ftp://bank.example"},
      options{name = "a", baseUrl = scenario.baseUrl, rejects = 401},
      options{name = "a", baseUrl = scenario.baseUrl, variable = "$x"},
      options{name = "a", baseUrl = scenario.baseUrl, dict = "none"},
      options{name = "a", baseUrl = scenario.baseUrl, onEvent = "x"},
    }
    for _, mistake in ipairs(mistaken) do
      start{workers = 1, init_worker = ([[
        local gateway = require "corebank.auth.nginx"
        gateway.setup(%s)
        gateway.setup(%s)
      ]]):format(mistake, options{name = "b", baseUrl = scenario.baseUrl})}
      sandbox.await("not ready", function() return (gate:get("/ready/of?name=b")) == 200 end)
      assert.equal(200, (gate:get("/b/")))
      assert.equal(503, (gate:get("/a/", {Authorization = "Bearer of-the-client"})))
      local status, _, body = gate:get("/ready")
      assert.equal(503, status)
      assert.equal('{"ready":false,"banks":2,"notReady":["a"]}\n', body)
      assert.equal('{"ready":false,"state":"not set up","remaining":0}\n',
        select(3, gate:get "/ready/of?name=a"))
      assert.equal(0, gate:count "bad")
      assert.equal(1, lines("%[error%].*bank 'a': init_worker_by_lua%b():%d+: setup: [^\n]*"
        .. "its requests are answered 503, and it is tried again"))
      gate:stop()
      gate = nil
    end
  end)

  it("G12: setup that names no bank is told, and lets the next one live", function()
    start{workers = 1, init_worker = ([[
      local gateway = require "corebank.auth.nginx"
      local told = {}
      for _, given in ipairs{"x", {name = ""}, {name = 1}, {name = "x\ny"}} do
        local ok, mistake = gateway.setup(given)
        told[#told + 1] = tostring(ok) .. " " .. mistake
      end
      package.loaded.told = table.concat(told, "\n")
      gateway.setup(%s)
    ]]):format(options{name = "b", baseUrl = scenario.baseUrl}),
      server = "location /told { content_by_lua_block { ngx.print(require 'told') } }"}
    gate:await_ready()
    local name = "nil name must be a string of 1 to 100 bytes, and no control character"
    assert.equal("nil a table of options is needed, not string\n" .. name .. "\n" .. name .. "\n"
      .. name, (select(3, gate:get("/told"))))
    assert.equal(4, lines "corebank%-auth: init_worker_by_lua%b():%d+: setup: ")
  end)

  it("G12: a secret file that comes late heals within 5 s", function()
    start{init_worker = ("require('corebank.auth.nginx').setup{name = 'a', baseUrl = %q, "
      .. "clientId = %q, caFile = %q, clientSecretFile = %q}"):format(scenario.baseUrl,
        bank.clientId, bank.caFile, secret_file)}
    assert.equal(503, (gate:get("/a/")))
    write_secret(bank.clientSecret)
    gate:await_ready(5)
    local told = lines "bank 'a': [^\n]*: setup: clientSecretFile: "
    assert.is_true(told == 1 or told == 2, gate:log())   -- each worker reads it by itself
    sandbox.await("the other one does not", function()
      return lines "bank 'a': is set up now" == told
    end, 5)
    assert.same({[200] = 20}, gate:at_once(20, "/a/"))
    assert.equal(1, scenario:posts())
  end)

  it("may be given other options, and be taken away, while it runs", function()
    local other = bank:scenario{}
    start{workers = 1, init_worker = "require('corebank.auth.nginx').setup"
      .. options{name = "a", baseUrl = scenario.baseUrl}, server = ([[
      location /replace { content_by_lua_block {
        ngx.print(tostring(require("corebank.auth.nginx").setup(%s))) } }
      location /remove { content_by_lua_block {
        ngx.print(tostring(require("corebank.auth.nginx").remove("a"))) } }
      location /refused { content_by_lua_block {
        ngx.print(select(2, pcall(function() require("corebank.auth.nginx").remove() end))) } }
    ]]):format(options{name = "a", baseUrl = other.baseUrl})}
    assert.equal(200, (gate:get("/a/")))
    assert.equal(0, other:posts())
    assert.equal("true", (select(3, gate:get("/replace"))))
    assert.equal(200, (gate:get("/a/")))
    assert.equal(1, scenario:posts())
    assert.equal(1, other:posts())
    assert.equal("true", (select(3, gate:get("/remove"))))
    assert.equal("false", (select(3, gate:get("/remove"))))
    assert.equal(503, (gate:get("/a/", {Authorization = "Bearer of-the-client"})))
    assert.equal(0, gate:count "bad")
    assert.is_truthy(select(3, gate:get("/refused")):find("remove: the name of a bank is needed, "
      .. "not nil", 1, true))
  end)

  it("is replaced while it is asked: who waits gets what comes", function()
    local slow = bank:scenario{{delay = 1}}
    start{workers = 1, init_worker = "require('corebank.auth.nginx').setup"
      .. options{name = "a", baseUrl = slow.baseUrl}, server = ([[
      location /both { content_by_lua_block {
        local gateway = require "corebank.auth.nginx"
        local asked = ngx.thread.spawn(function() return ngx.location.capture("/a/") end)
        ngx.sleep(0.1)
        gateway.setup(%s)
        local _, answer = ngx.thread.wait(asked)
        ngx.print(answer.status, " ", ngx.location.capture("/a/").status)
      } }]]):format(options{name = "a", baseUrl = scenario.baseUrl})}
    assert.equal("200 200", (select(3, gate:get("/both"))))
    assert.equal(1, slow:posts())
    assert.equal(1, scenario:posts())
  end)

  it("G12: a check before a reload keeps the workers that do well", function()
    start{http = "init_by_lua_block { $check }", check = "", init_worker =
      "require('corebank.auth.nginx').setup" .. options{name = "a", baseUrl = scenario.baseUrl}}
    assert.equal(200, (gate:get("/a/")))
    local old = gate:workers()
    local seen = 0
    for mistake, given in pairs{
      ["unknown option 'verfy'"] = options{baseUrl = scenario.baseUrl, verfy = false},
      ["clientSecretFile: " .. secret_file:gsub("%p", "%%%0")] = ("{baseUrl = %q, "
        .. "clientId = 'x', clientSecretFile = %q}"):format(scenario.baseUrl, secret_file),
      ["nginx.conf has no lua_shared_dict none"] = options{dict = "none"},
      ["scheme must be"] = options{scheme = 1},
      ["a table of options is needed, not nil"] = "()",
    } do
      gate:configure{check = "require('corebank.auth.nginx').check" .. given}
      assert(os.execute("kill -HUP " .. gate:pid()))
      seen = seen + 1
      sandbox.await("it is not refused", function()
        return lines "init_by_lua%b():%d+: check: " == seen
      end)
      assert.is_truthy(gate:log():find("init_by_lua%b():%d+: check: " .. mistake), gate:log())
    end
    assert.same(old, gate:workers())
    assert.equal(200, (gate:get("/a/")))
    gate:configure{check = "require('corebank.auth.nginx').check"
      .. options{baseUrl = scenario.baseUrl}}
    gate:reload()
    assert.equal(200, (gate:get("/a/")))
    assert.equal(1, scenario:posts())
  end)

  it("G23: ready() without a name is about all, with one about that", function()
    start{workers = 1, init_worker = ("local setup = require('corebank.auth.nginx').setup "
      .. "setup(%s) setup(%s)"):format(options{name = "a", baseUrl = scenario.baseUrl},
        options{name = "b", baseUrl = bank:scenario{{status = 500}}.baseUrl})}
    sandbox.await("not ready", function() return (gate:get("/ready/of?name=a")) == 200 end)
    for name, expected in pairs{
      a = '^{"ready":true,"state":"fresh","remaining":%d+}\n$',
      b = '^{"ready":false,"state":"none","remaining":0}\n$',
      x = '^{"ready":false,"state":"unknown","remaining":0}\n$',
    } do
      local status, _, body = gate:get("/ready/of?name=" .. name)
      assert.equal(name == "a" and 200 or 503, status)
      assert.is_truthy(body:find(expected), body)
    end
    local status, _, body = gate:get("/ready")
    assert.equal(503, status)
    assert.equal('{"ready":false,"banks":2,"notReady":["b"]}\n', body)
    assert.is_truthy(select(3, gate:get("/metrics")):find('{bank="b"', 1, true))
  end)

  it("G23: without any bank it is not ready", function()
    start{workers = 1, init_worker = "require 'corebank.auth.nginx'"}
    local status, _, body = gate:get("/ready")
    assert.equal(503, status)
    assert.equal('{"ready":false,"banks":0,"notReady":[]}\n', body)
  end)
end)
