-- status() on a real nginx: what it says of banks that work and of banks that do not.

local auth = require "corebank.auth"
local gateway = require "spec.support.gateway"
local metrics = require "corebank.auth.gateway.metrics"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

local bank = sandbox.bank()

local LOCATIONS = [[
  location = /status { content_by_lua_block { require("corebank.auth.nginx").status() } }
  location = /status/one { content_by_lua_block {
    require("corebank.auth.nginx").status(ngx.var.arg_name) } }
]]

local JSON = {Accept = "application/json"}

describe("status() #nginx", function()
  local gate, scenario

  local function start(steps, given)
    given = given or {}
    given.server = LOCATIONS
    gate, scenario = gateway.at_bank(steps, given)
  end

  after_each(gateway.stop_all)

  -- Every answer of it is checked for secrets and tokens.
  local function get(path, headers)
    local status, answered, body = gate:get(path, headers)
    assert.is_nil(body:find "canary%-")
    return body, status, answered
  end

  local function json(path)
    return assert(auth.json.decode((get(path or "/status", JSON))))
  end

  -- What is said of the bank once it is what is awaited.
  local function awaited(is_so)
    local told
    sandbox.await("the status is another one", function()
      told = json().banks[1]
      return is_so(told)
    end)
    return told
  end

  it("says that there is a token", function()
    start({}, {workers = 1})
    gate:await_ready()
    local told = json()
    assert.is_true(told.ready)
    assert.equal(auth.VERSION, told.version)
    assert.is_truthy(told.at:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$")
    assert.equal(1, #told.banks)
    told = told.banks[1]
    assert.same({"default", scenario.baseUrl:match "^https://[^/]+", "fresh", true, "shdict"},
      {told.name, told.bank, told.state, told.isValid, told.store})
    assert.is_true(told.remaining > 3500 and told.refreshIn < told.remaining)
    assert.is_nil(told.problem)
    local html = get "/status"
    assert.is_truthy(html:find('<span class="good">fresh</span>', 1, true))
    assert.equal(1, scenario:posts())
  end)

  it("says where the worker that answers has the token from", function()
    start{}
    local seen = {}
    sandbox.await("not both have answered", function()
      local told = json().banks[1]
      if told.isValid then seen[told.source] = true end
      return seen.bank and seen.store
    end)
    assert.equal(1, scenario:posts())
  end)

  it("answers in HTML, but in JSON to a client that wants JSON more", function()
    start{}
    for accepted, kind in pairs{["application/json"] = "application/json",
      ["Application/JSON;q=0.9, */*;q=0.1"] = "application/json", ["*/*"] = "text/html",
      ["application/json, text/plain, */*"] = "application/json",
      ["application/json, text/plain, */*;q=0.8"] = "application/json",
      ["text/html;q=0.5, application/json"] = "application/json",
      ["application/json;q=0.2, text/html"] = "text/html", ["application/json;q=0"] = "text/html",
      ["application/*"] = "application/json", ["text/html;q=0, */*"] = "application/json",
      ["text/html,application/xhtml+xml,application/json"] = "text/html", [""] = "text/html"} do
      local _, status, headers = get("/status", {Accept = accepted})
      assert.equal(200, status)
      assert.equal(kind, (headers["content-type"]:match "^[^;]+"), accepted)
      assert.equal("no-store", headers["cache-control"])
      assert.equal("Accept", headers.vary)
      assert.is_truthy(headers["content-security-policy"]:find "default%-src 'none'")
      assert.equal("nosniff", headers["x-content-type-options"])
    end
  end)

  it("has the counters of all workers, as the metrics have them", function()
    start{}
    gate:await_ready()
    assert.same({[200] = 40}, gate:at_once(40, "/api/"))
    local told = awaited(function(one) return one.counters.injected == 40 end)
    assert.equal("all workers", told.countersOf)
    local count = 0
    for key, value in pairs(told.counters) do
      local name = ('corebank_auth_%s_total{bank="default"}'):format(
        key:gsub("%u", function(capital) return "_" .. capital:lower() end))
      local outcome = ('corebank_auth_fetches_total{bank="default",outcome="%s"}'):format(key)
      assert.equal(value, gate:metric(name) or gate:metric(outcome), key)
      count = count + 1
    end
    assert.equal(#metrics.kinds(), count)
  end)

  it("says why there is no token, and what to do about it", function()
    start({{status = 401, body = '{"error": "canary-body"}'}}, {workers = 1})
    local told = awaited(function(one) return one.problem ~= nil end)
    assert.same({"none", false, "denied", false},
      {told.state, told.isValid, told.problem.code, told.problem.isOver})
    assert.is_truthy(told.problem.message:find "^the bank does not accept these credentials")
    assert.is_truthy(told.problem.whatToDo:find "rotated or revoked")
    assert.is_true(told.pause > 0)
    assert.is_false(json().ready)
    local html = get "/status"
    assert.is_truthy(html:find("<p>No valid token: default.</p>", 1, true))
    assert.is_truthy(html:find("rotated or revoked", 1, true))
  end)

  it("says that a problem is over", function()
    start({{status = 500}, {}}, {workers = 1, setup = {attempts = 1}})
    gate:await_ready()
    local told = json().banks[1]
    assert.same({"fresh", "server", true}, {told.state, told.problem.code, told.problem.isOver})
    assert.is_truthy(told.problem.whatToDo:find "^Nothing")
  end)

  it("says that a bank could not be set up, and where", function()
    start({}, {workers = 1, setup = {timeout = -1}})
    local told = json().banks[1]
    assert.same({"not set up", false}, {told.state, told.isValid})
    assert.is_truthy(told.problem.message:find "^timeout must be")
    assert.is_truthy(told.problem.whatToDo:find "init_worker_by_lua", told.problem.whatToDo)
    assert.is_truthy((get "/status"):find(">not set up</span>", 1, true))
  end)

  it("says that the store cannot be used", function()
    start({}, {workers = 1, init_worker = [[
      local options = $options
      local function broken() return nil, "no such <server>" end
      options.store = {name = "own", get = broken, put = broken, delete = broken, lease = broken,
        release = broken}
      require("corebank.auth.nginx").setup(options)]]})
    local told = awaited(function(one) return one.storeFault ~= nil end)
    assert.same({"own", "no such <server>"}, {told.store, told.storeFault.message})
    assert.is_truthy((get "/status"):find("no such &lt;server&gt;", 1, true))
  end)

  it("is about one bank when it is named, and about all otherwise", function()
    local other = bank:scenario{}
    local options = gateway.options{name = "<b>", variable = "other_token",
      baseUrl = other.baseUrl}
    start({}, {workers = 1, init_worker =
      ("require('corebank.auth.nginx').setup(%s) $setup"):format(sandbox.literal(options))})
    assert.same({"<b>", "default"}, {json().banks[1].name, json().banks[2].name})
    assert.is_truthy((get "/status"):find('<a href="#bank-1">&lt;b&gt;</a>', 1, true))
    assert.equal("default", json("/status/one?name=default").banks[1].name)
    assert.equal(1, #json("/status/one?name=default").banks)
    local body, status = get("/status/one?name=nobody", JSON)
    assert.equal(404, status)
    assert.same({}, auth.json.decode(body).banks)
  end)
end)
