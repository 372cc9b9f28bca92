-- examples/api.lua, as it is, against a bank and its API: what a script does when the API answers
-- 401 (FIELD part S, the first hour).

local command = require "spec.support.command"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local ACCOUNTS = '^{"accounts":%[{"accountId":"1",'

describe("examples/api.lua #transfer #slow", function()
  local user = command.user(before_each, after_each)

  -- Runs it. What it leaves behind but its store must be nothing.
  local function run(scenario, path)
    local environment = {COREBANK_BASE_URL = scenario.baseUrl, COREBANK_CA_FILE = bank.caFile,
      TMPDIR = user.home}
    local result = user:run(user:line({path}, environment, "examples/api.lua"))
    for _, text in ipairs{result.out, result.err} do
      assert.is_nil(text:find "canary")
    end
    return result
  end

  it("calls the API with the token that all runs share", function()
    local scenario = bank:scenario{}
    for _ = 1, 3 do
      local result = run(scenario)
      assert.same({0, 1}, {result.status, (result.out:find(ACCOUNTS))}, result.err)
    end
    assert.equal(1, scenario:posts())
    assert.equal(3, scenario:calls())
  end)

  it("calls it once more, with the next token, when that one was revoked", function()
    local scenario = bank:scenario{}
    run(scenario)
    scenario:revoke()
    local result = run(scenario)
    assert.same({0, 1}, {result.status, (result.out:find(ACCOUNTS))}, result.err)
    assert.equal(2, scenario:posts())
    assert.equal(3, scenario:calls())
  end)

  it("gives the shell a path as one word, whatever is in it", function()
    local touched = user.home .. "/touched"
    for _, path in ipairs{"/$(touch " .. touched .. ")", "/`touch " .. touched .. "`",
      "/'; touch " .. touched .. "; '", '/"; touch ' .. touched .. '; "'} do
      assert.equal(1, run(bank:scenario{}, path).status)
      assert.is_nil(io.open(touched))
    end
  end)

  it("takes the token that another run has got meanwhile", function()
    local scenario = bank:scenario{}
    run(scenario)
    scenario:revoke()
    for _ = 1, 2 do assert.equal(0, run(scenario).status) end
    assert.equal(2, scenario:posts())
    assert.equal(4, scenario:calls())
  end)

  it("is told 401 where it is not the token, and asks the bank no more than once in 5 s", function()
    if survive.seconds(1) > 1 then return end   -- the 5 s are over before the next run asks
    local scenario = bank:scenario{}
    local tries = {2, 1, 1}   -- then no other token is to be had
    for _, expected in ipairs(tries) do
      local before = scenario:calls()
      local result = run(scenario, "/api/accounts/v1/forbidden")
      assert.equal(1, result.status)
      assert.is_truthy(result.err:find("the API answers 401", 1, true), result.err)
      assert.equal(expected, scenario:calls() - before)
    end
    assert.equal(2, scenario:posts())
    assert.equal(0, run(scenario).status)   -- and the token is good where it is allowed
  end)

  it("G8: has the token for other paths while one rejects it and the bank is down", function()
    local scenario = bank:scenario{{}, {status = 503}}
    for _ = 1, 2 do
      assert.equal(0, run(scenario).status)
      local result = run(scenario, "/api/accounts/v1/forbidden")
      assert.equal(1, result.status)
      assert.is_truthy(result.err:find "the API answers 401; .*last problem: .*503", result.err)
    end
  end)

  it("says what the bank said when there is no token", function()
    local scenario = bank:scenario{{status = 401}}
    local result = run(scenario)
    assert.equal(1, result.status)
    assert.is_truthy(result.err:find("does not accept these credentials", 1, true), result.err)
    assert.equal(0, scenario:calls())
  end)
end)
