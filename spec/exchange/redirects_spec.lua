-- FAULTS, "HTTP": which redirects are followed.

local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local answered = survive.answered

describe("a redirect #transfer", function()
  for _, status in ipairs{307, 308} do
    it(("(%d) to another origin: redirect, nothing sent there"):format(status), function()
      local other = bank:scenario{}
      local problem = answered(
        {{status = status, redirect = other:on("tls12") .. "/api/auth/v1/authenticate"}},
        {code = "redirect", posts = 1, options = {attempts = 3}})
      assert.equal(0, #other:requests())
      assert.equal(status, problem.status)
      assert.is_truthy(problem.message:find(bank.urls.tls12, 1, true))
    end)

    it(("(%d) to plaintext: redirect, nothing sent there"):format(status), function()
      local other = bank:scenario{}
      answered({{status = status, redirect = other.plainUrl .. "/api/auth/v1/authenticate"}},
        {code = "redirect", posts = 1})
      assert.equal(0, #other:requests())
    end)

    it(("(%d) to a file: redirect"):format(status), function()
      answered({{status = status, redirect = "file:///etc/passwd"}},
        {code = "redirect", posts = 1, message = "file://"})
    end)
  end

  it("with user information on the same origin: redirect", function()
    local target = bank.url:gsub("//", "//user:password@") .. "/api/auth/v1/authenticate"
    local problem = answered({{redirect = target}}, {code = "redirect", posts = 1})
    assert.is_nil(problem.message:find("password"))
  end)

  it("to a host that spells the secret: redirect, and the message does not spell it", function()
    answered({{redirect = "https://" .. bank.clientSecret:gsub("_", "-") .. ".example/"}},
      {code = "redirect", posts = 1})
  end)

  it("without a Location, or with an endless one: redirect", function()
    answered({{status = 302, body = ""}}, {code = "redirect", posts = 1})
    answered({{redirect = "/" .. ("x"):rep(3000)}}, {code = "redirect", posts = 1})
  end)

  for _, status in ipairs{301, 302, 307, 308} do
    it(("(%d) on the same origin: followed, POST and body kept"):format(status), function()
      local _, scenario = answered(
        {{status = status, redirect = "/s/NAME/moved/authenticate?step=2"}, {}}, {posts = 2})
      local requests = scenario:requests()
      local first, second = requests[1], requests[2]
      assert.equal("POST", second.method)
      assert.equal(first.body, second.body)
      assert.is_truthy(second.uri:find("/moved/authenticate?step=2", 1, true))
    end)
  end

  it("303 is not followed: the bank does not speak it", function()
    answered({{status = 303, redirect = "/s/NAME/moved"}}, {code = "status", posts = 1})
  end)

  it("is followed 3 times at most", function()
    local hop = {redirect = "/s/NAME/moved/authenticate"}
    answered({hop, hop, hop, {}}, {posts = 4})
    answered({hop}, {code = "redirect", posts = 4, options = {attempts = 3}})
  end)
end)
