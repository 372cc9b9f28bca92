-- One client for all who need the same: told apart by the content of the options, not by a table.

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

local bank = sandbox.bank()

-- Runs Lua in the worker, and answers with what it returns.
local RUN = [[
  location = /again { content_by_lua_block {
    local gateway = require "corebank.auth.nginx"
    local options = $options
    options.clientSecret = ngx.var.arg_secret or options.clientSecret
    options.onEvent = nil
    for _ = 1, tonumber(ngx.var.arg_times) do
      local copy = {}
      for name, value in pairs(options) do copy[name] = value end
      assert(gateway.setup(copy))
    end
    collectgarbage() collectgarbage()
    ngx.print(collectgarbage "count")
  } }
  location = /state { content_by_lua_block {
    local clients = require "corebank.auth.gateway.clients"
    local list, told = clients.each(), {}
    for i, bank in ipairs(list) do
      told[i] = bank.holders .. (bank.client and "" or " without a client")
      assert(bank.key:find "^%x+$")
    end
    ngx.print(table.concat(told, ","))
  } }
]]

describe("the clients of a worker #nginx", function()
  local gate, scenario

  before_each(function()
    scenario = bank:scenario{}
    gate = gateway.start{workers = 1, server = RUN, setup = {baseUrl = scenario.baseUrl}}
    gate:await_ready()
  end)

  after_each(gateway.stop_all)

  local function again(times, secret)
    local status, _, body = gate:get(("/again?times=%d%s"):format(times,
      secret and "&secret=" .. secret or ""))
    assert.equal(200, status, gate:log())
    return tonumber(body)   -- KiB
  end

  local function state()
    return (select(3, gate:get "/state"))
  end

  it("10,000 times the same options: one client, 1 POST, memory flat", function()
    local before = again(100)
    local after = again(10000)
    assert.equal("1", state())
    assert.equal(200, (gate:get("/api/")))
    assert.equal(1, scenario:posts())
    assert.is_true(after <= before + 32, ("%d KiB, then %d KiB"):format(before, after))
  end)

  it("a changed secret makes another client, and the old one ends", function()
    again(1, "canary-secret-other")
    assert.equal("1", state())
    assert.equal(503, (gate:get("/api/")))   -- denied
    again(1)
    assert.equal("1", state())
    assert.equal(200, (gate:get("/api/")))
    assert.is_nil(gate:log():find("canary-", 1, true))
  end)

  it("is closed when a request, and nobody else, has used it, and long ago", function()
    local unit = [[
      local clients = require "corebank.auth.gateway.clients"
      local core = require "corebank.auth.core"
      local given = {name = "x", baseUrl = "https://bank.example", clientId = "i",
        clientSecret = "canary-secret", dict = false}
      local function used() return clients.use(given, "a spec") end
      local first = used()
      assert(first == used() and first.client)
      clients.close_unused()
      assert(not first.gone)
      first.unusedAt = core.boot()
      clients.close_unused()
      assert(first.gone and not pcall(first.client.token, first.client))
      local second = used()
      assert(second ~= first and not second.gone)
      assert(clients.hold(given, "a spec") == second)
      clients.drop()
      assert(not second.gone)
      clients.release(second)
      assert(second.gone)
      ngx.print "all is well"
    ]]
    gate:configure{server = RUN .. "location = /unit { content_by_lua_block {" .. unit .. "} }"}
    gate:reload()
    sandbox.await("the unit is not there", function()
      return select(3, gate:get "/unit") == "all is well"
    end)
  end)

  it("has a key that tells all options apart, in whatever order they are", function()
    local unit = [[
      local key = require "corebank.auth.gateway.content".key
      local store, secret = {}, require "corebank.auth.core".secret "canary-x"
      local tables = {
        {a = "1"}, {a = 1}, {a = "1", b = "1"}, {a = "1b", ["1"] = ""}, {a = true}, {a = "true"},
        {headers = {x = "1"}}, {headers = {x = "2"}}, {headers = {y = "1"}}, {rejects = {401, 403}},
        {rejects = {403, 401}}, {store = store}, {store = {}}, {a = secret}, {a = print}, {},
      }
      local seen = {}
      for i, given in ipairs(tables) do
        local made = key(given)
        assert(#made == 32 and made:find "^%x+$")
        assert(not seen[made], i)
        seen[made] = i
        local copy, names = {}, {}
        for name in pairs(given) do table.insert(names, 1, name) end
        for _, name in ipairs(names) do copy[name] = given[name] end
        assert(key(copy) == made, i)
      end
      ngx.print "all is well"
    ]]
    gate:configure{server = RUN .. "location = /unit { content_by_lua_block {" .. unit .. "} }"}
    gate:reload()
    sandbox.await("the unit is not there", function()
      return select(3, gate:get "/unit") == "all is well"
    end)
  end)
end)
