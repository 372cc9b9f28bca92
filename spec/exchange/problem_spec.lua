local core = require "corebank.auth.core"
local diagnosis = require "corebank.auth.exchange.diagnosis"
local options = require "corebank.auth.options.read"
local problem = require "corebank.auth.exchange.problem"

local settings = {url = "https://bank.example/", origin = "https://bank.example"}

describe("a problem", function()
  it("has a code from the closed list", function()
    assert.is_false((pcall(problem.new, "mistake", "message")))
    assert.equal("tls", problem.new("tls", "message").code)
  end)

  it("is its message", function()
    assert.equal("message", tostring(problem.new("tls", "message")))
  end)

  it("knows by its code whether trying again may help", function()
    for code, retryable in pairs{timeout = true, limited = true, server = true, denied = false,
      redirect = false, tls = false, expired = false} do
      assert.equal(retryable, problem.new(code, "m").retryable)
    end
  end)

  it("says of each status what to do next", function()
    local words = {[401] = "clientId", [407] = "baseUrl", [429] = "fewer",
      [502] = "cannot answer", [404] = "baseUrl"}
    for status, word in pairs(words) do
      local made = diagnosis.of_answer({status = status}, settings, "")
      assert.is_truthy(made.message:find(word, 1, true) and made.message:find(tostring(status)))
      assert.equal(status, made.status)
    end
  end)

  it("takes a 407 for the proxy's only where the proxy sees the request", function()
    local function code_with(base, proxy)
      local read, release = assert(options.read{baseUrl = base, proxy = proxy, noProxy = "",
        allowPlaintext = true, clientId = "id", clientSecret = "canary-secret"})
      local made = diagnosis.of_answer({status = 407}, read, "")
      if release then release() end
      return made.code
    end
    assert.equal("proxy", code_with("http://127.0.0.1", "http://proxy.example:3128"))
    assert.equal("status", code_with("https://127.0.0.1", "http://proxy.example:3128"))
    assert.equal("status", code_with("http://127.0.0.1", ""))   -- there is none
  end)

  it("shows no secret that a server has in its certificate", function()
    local own = {origin = "https://bank.example", clientSecret = core.secret "canary-certificate"}
    local made = diagnosis.of_failure({failure = "tls", tlsFault = "trust",
      detail = "certificate subject name 'canary-certificate' does not match"}, own)
    assert.is_nil(made.message:find("canary", 1, true))
    assert.is_truthy(made.message:find("subject name '**", 1, true), made.message)
  end)

  it("lets nobody reach the answer by looking at it", function()
    local made = diagnosis.of_answer({status = 401}, settings, "E-17")
    for _, value in pairs(made) do assert.are_not.equal("E-17", value) end
    assert.is_false(getmetatable(made))
    assert.equal("E-17", made:body())
  end)
end)
