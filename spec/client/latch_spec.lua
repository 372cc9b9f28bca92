-- How long callers are kept off a bank that said no; denial_spec has what they see of it.

local core = require "corebank.auth.core"
local files = require "spec.support.files"
local latch = require "corebank.auth.client.latch"
local problem = require "corebank.auth.exchange.problem"
local secret = require "corebank.auth.options.secret"

local function trouble(code, retryAfter)
  return problem.new(code, "it said no", {retryAfter = retryAfter})
end

describe("a latch", function()
  local own
  before_each(function() own = latch.new(core.secret("canary-secret")) end)

  it("is left open by a problem that asks for no rest", function()
    own:note(trouble("server"), 0)
    own:note(trouble("network"), 0)
    assert.is_nil(own:remembered(0))
    assert.is_nil(own.ends)
  end)

  it("is closed for a Retry-After, however short", function()
    own:note(trouble("limited", 0.5), 0)
    assert.is_truthy(own:remembered(0.4))
    assert.is_nil(own:remembered(0.5))
  end)

  it("is closed until the latest end that it was told, for that reason", function()
    own:note(trouble("server", 300), 0)
    own:learn(trouble("limited"), 12, 0)
    assert.is_truthy(own:remembered(299))
    assert.equal("server", own:remembered(200).code)
    own:learn(trouble("limited"), 400, 0)
    assert.is_truthy(own:remembered(399))
    assert.equal("limited", own:remembered(200).code)
    assert.equal(200, own:remembered(200).retryAfter)
  end)

  it("forgets the denials of a secret that has been changed, and nothing but denials", function()
    local path = os.tmpname()
    for _, code in ipairs{"denied", "limited"} do
      files.write(path, "canary-secret-old")
      own = latch.new(secret.file(path))
      own:note(trouble(code, 30), 0)
      assert.is_truthy(own:remembered(0))
      files.write(path, "canary-secret-new")
      assert.equal(code == "limited", own:remembered(0) ~= nil)
    end
    own = latch.new(secret.file(path))
    own:note(trouble("denied"), 0)
    own:note(trouble("denied"), 5)
    files.write(path, "canary-secret-newer")
    assert.is_nil(own:remembered(6))
    own:note(trouble("denied"), 6)
    assert.equal(6 + 5, own.ends)
    os.remove(path)
  end)
end)
