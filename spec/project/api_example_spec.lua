-- examples/api.lua, as it is, against a bank and its API (FIELD part S, the first hour).

local command = require "spec.support.command"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()

describe("examples/api.lua #transfer #slow", function()
  local user = command.user(before_each, after_each)

  -- Runs it. What it leaves behind but its store must be nothing.
  local function run(scenario, ...)
    local environment = {COREBANK_BASE_URL = scenario.baseUrl, COREBANK_CA_FILE = bank.caFile,
      TMPDIR = user.home}
    local result = user:run(user:line({...}, environment, "examples/api.lua"))
    for _, text in ipairs{result.out, result.err} do
      assert.is_nil(text:find "canary")
    end
    return result
  end

  local function prints_accounts(scenario)
    local result = run(scenario)
    assert.equal(0, result.status, result.err)
    assert.equal(60, select(2, result.out:gsub("%d+ +EUR +%d+%.%d%d\n", "")))
    assert.is_truthy(result.out:find("\n60   EUR   60000.60\n", 1, true), result.out)
  end

  it("prints all pages of accounts, with the token that all runs share", function()
    local scenario = bank:scenario{}
    for _ = 1, 2 do prints_accounts(scenario) end
    assert.same({1, 6}, {scenario:posts(), scenario:calls()})
  end)

  it("goes on with the next token when that one was revoked", function()
    local scenario = bank:scenario{}
    prints_accounts(scenario)
    scenario:revoke()
    prints_accounts(scenario)
    assert.same({2, 7}, {scenario:posts(), scenario:calls()})
  end)

  it("makes a transfer once for each key, whatever happens on the way", function()
    local scenario = bank:scenario{}
    scenario:api{{close = true}, {status = 401}, {}}
    for _ = 1, 2 do
      local result = run(scenario, "1", "2", "19.90")
      assert.same({0, "transfer 1: accepted\n"}, {result.status, result.out}, result.err)
    end
    assert.same({received = 4, done = 1}, scenario:transfers())
    local result = run(scenario, "1", "2", "19.90", "another")
    assert.equal("transfer 2: accepted\n", result.out)
    assert.equal("19.9", scenario:journal()[1].body:match '"amount":([%d.]+)')
  end)

  it("does not send a transfer without an amount", function()
    local scenario = bank:scenario{}
    for _, result in ipairs{run(scenario, "1"), run(scenario, "1", "2"),
      run(scenario, "1", "2", "much"), run(scenario, "1", "2", "3", "4", "5")} do
      assert.same({2, ""}, {result.status, result.out})
      assert.is_truthy(result.err:find "^usage: ", result.err)
    end
    assert.equal(0, scenario:calls())
  end)

  it("ends with what the API or the bank said", function()
    local scenario = bank:scenario{}
    scenario:api{{status = 404}}
    local result = run(scenario)
    assert.same({1, ""}, {result.status, result.out})
    assert.is_truthy(result.err:find("^the API answers 404: .*\ntoken of "), result.err)
    scenario = bank:scenario{{status = 401}}
    result = run(scenario)
    assert.equal(1, result.status)
    assert.is_truthy(result.err:find("does not accept these credentials", 1, true), result.err)
    assert.equal(0, scenario:calls())
  end)
end)
