-- Which problem ends the command with which status.

local command = require "spec.support.command"
local exits = require "corebank.auth.cli.exits"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()
local trusting = command.trusting
local user = command.user(setup, teardown)

describe("the exit status #slow", function()
  local function status_of(words, changes)
    table.insert(words, "--no-store")
    local status = user:run(words, changes).status
    return user:fails(status, words, changes), status
  end

  it("is 3 when the bank denies", function()
    local err, status = status_of(trusting{"token"}, {COREBANK_CLIENT_SECRET = "wrong"})
    assert.equal(3, status)
    assert.is_truthy(err:find("check --client-id and the client secret", 1, true))
  end)

  it("is 4 when the bank cannot be reached, 5 when it cannot be trusted", function()
    local closed = "https://localhost:" .. sandbox.closedPort()
    local err, status = status_of(trusting{"token", "--base-url", closed, "--attempts", "1"})
    assert.equal(4, status)
    assert.is_truthy(err:find("\ncorebank-auth doctor", 1, true))
    assert.equal(4, select(2, status_of(trusting{"token", "--base-url", "https://no-such.invalid",
      "--attempts", "1"})))
    assert.equal(5, select(2, status_of(trusting{"token", "--base-url", bank.urls.selfsigned})))
    local moved = bank:scenario{{redirect = "https://elsewhere.example/"}}
    assert.equal(5, select(2, status_of(trusting{"token", "--base-url", moved.baseUrl})))
  end)

  it("is 6 when the bank cannot answer, 7 when the answer is no use", function()
    local down = bank:scenario{{status = 503, headers = {["Retry-After"] = "200"}}}
    local err, status = status_of(trusting{"token", "--base-url", down.baseUrl})
    assert.equal(6, status)
    assert.is_truthy(err:find("try again in 200 s", 1, true), err)
    local odd = bank:scenario{{body = "<html>"}}
    assert.equal(7, select(2, status_of(trusting{"token", "--base-url", odd.baseUrl,
      "--attempts", "1"})))
    local gone = bank:scenario{{status = 404}}
    assert.equal(7, select(2, status_of(trusting{"token", "--base-url", gone.baseUrl})))
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
