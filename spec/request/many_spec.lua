-- bank:requestAll: many requests in parallel.

local auth = require "corebank.auth"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local ACCOUNTS = "/api/accounts/v1/accounts"

describe("bank:requestAll #transfer", function()
  local scenario, client

  before_each(function()
    scenario = bank:scenario{}
    client = auth.client(survive.options{baseUrl = scenario.baseUrl})
  end)
  after_each(function() client:close() end)

  it("returns the results in the order of the list, with one token", function()
    local list = {}
    for i = 1, 100 do list[i] = {path = ACCOUNTS .. "/" .. i} end
    local done = 0
    local results = client:requestAll(list, {parallel = 8, onProgress = function(n, total)
      done = done + 1
      assert.same({done, 100}, {n, total})
    end})
    assert.equal(100, #results)
    for i = 1, 60 do
      assert.equal(tostring(i), assert(results[i].reply:json()).accountId)
    end
    for i = 61, 100 do assert.equal(404, results[i].reply.status) end
    assert.equal(100, done)
    assert.same({1, 100}, {scenario:posts(), scenario:calls()})
  end)

  it("leaves the others alone when one has a problem", function()
    local results = client:requestAll{{path = ACCOUNTS},
      {path = ACCOUNTS, query = {close = 1}, attempts = 1}, {path = ACCOUNTS}}
    assert.equal(200, results[1].reply.status)
    assert.is_nil(results[2].reply)
    assert.same({"network", results[2].message},
      {results[2].problem.code, results[2].problem.message})
    assert.equal(200, results[3].reply.status)
  end)

  it("replaces a revoked token once for all of them", function()
    assert(client:token())
    scenario:revoke()
    local list = {}
    for i = 1, 20 do list[i] = {path = ACCOUNTS .. "/" .. i} end
    for _, result in ipairs(client:requestAll(list)) do assert.equal(200, result.reply.status) end
    assert.equal(2, scenario:posts())
  end)

  it("of nothing is nothing", function()
    assert.same({}, client:requestAll{})
  end)

  for what, case in pairs{
    ["no list"] = {7, nil, "a list of tables of options is needed"},
    ["one request"] = {{path = "/a"}, nil, "a list is needed"},
    ["an element of another type"] = {{{path = "/a"}, 7}, nil, "element 2: must be a table"},
    ["a mistake in an element"] = {{{path = "/a"}, {path = "a"}}, nil,
      "element 2: path must begin"},
    ["an unknown option"] = {{}, {paralel = 2},
      "unknown option 'paralel'; did you mean 'parallel'?"},
    ["too many at a time"] = {{}, {parallel = 1000}, "parallel must be a whole number"},
  } do
    it("raises at the caller's line and sends nothing: " .. what, function()
      local ok, message = pcall(function()
        return (client:requestAll(case[1], case[2]))
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find "many_spec.lua:%d+: requestAll: ", message)
      assert.is_truthy(message:find(case[3], 1, true), message)
      assert.equal(0, scenario:posts() + scenario:calls())
    end)
  end
end)
