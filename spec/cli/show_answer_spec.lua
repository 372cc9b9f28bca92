-- S21: the doctor shows what the bank answered when it is asked to, and by which name the bank
-- knows the request.

local command = require "spec.support.command"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()
local user = command.user(setup, teardown)

-- Asks a bank that answers in this way; what the command says.
local function asked(words, step, changes)
  local environment = {COREBANK_BASE_URL = bank:scenario{step}.baseUrl}
  for name, value in pairs(changes or {}) do environment[name] = value end
  local line = command.trusting(words)
  table.insert(line, 2, "--attempts=1")
  local result = user:run(line, environment)
  local all = result.out .. result.err
  assert.is_nil(all:find("canary%-"), "a planted secret is shown")
  assert.is_nil(all:find("[^\n\32-\126\128-\255]"), "a control character is shown")
  return result
end

local LOCKED = {status = 403, body = '{"errorCode":"ACC_LOCKED",\n "accessToken":"canary-token-x"}',
  headers = {["X-Correlation-ID"] = "corr-42"}}

describe("S21: doctor --show-answer #slow", function()
  it("prints the bank's words, secrets blanked, and the name of the request", function()
    local result = asked({"doctor", "--show-answer"}, LOCKED)
    assert.equal(3, result.status)
    local shown = '\n        | {"errorCode":"ACC_LOCKED",\n        |  "accessToken":'
    assert.is_truthy(result.out:find(shown, 1, true), result.out)
    assert.is_truthy(result.out:find("for the bank this is request corr-42", 1, true), result.out)
  end)

  it("prints nothing of it without being asked, but for the name of the request", function()
    local result = asked({"doctor"}, LOCKED)
    assert.is_nil(result.out:find("ACC_LOCKED", 1, true))
    assert.is_truthy(result.out:find("for the bank this is request corr-42", 1, true), result.out)
    result = asked({"token", "--no-store"}, LOCKED)
    assert.is_nil(result.err:find("ACC_LOCKED", 1, true))
    assert.is_truthy(result.err:find("for the bank this is request corr-42", 1, true), result.err)
  end)

  it("obeys no control characters", function()
    local result = asked({"doctor", "--show-answer"},
      {status = 500, body = "a\127red\rover\194\155m\tend\r\n\r\nlast"})
    assert.equal(6, result.status)
    assert.is_truthy(result.out:find("        | a?red?over?m  end\n"
      .. "        | \n        | last\n", 1, true), result.out)
  end)

  it("says so when there is nothing to show: an empty answer, or one that is no text", function()
    for _, step in ipairs{{status = 503, body = ""}, {status = 401, body = " \n"},
      {status = 500, body = "a\27[31mred"}, {status = 500, body = "\0"}} do
      local result = asked({"doctor", "--show-answer"}, step)
      assert.is_truthy(result.out:find("the bank's answer holds nothing", 1, true), result.out)
    end
  end)

  it("is silent where nothing was answered, or all is well", function()
    local well = asked({"doctor", "--show-answer"}, {})
    assert.equal(0, well.status)
    assert.is_nil(well.out:find("the bank's answer", 1, true))
    local early = asked({"doctor", "--show-answer", "--timeout", "0"}, {})
    assert.is_nil(early.out:find("the bank's answer", 1, true))
  end)

  it("shows the answer, too, when the clocks are what fails", function()
    local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 7200)
    local result = asked({"doctor", "--show-answer"},
      {status = 401, body = '{"errorCode":"CLOCK"}', headers = {Date = date}})
    assert.equal(7, result.status)
    assert.is_truthy(result.out:find('        | {"errorCode":"CLOCK"}\n', 1, true), result.out)
  end)
end)
