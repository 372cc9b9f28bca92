-- What happens to one call does not show in the next.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

describe("one table of options, call after call #transfer", function()
  local function calls(steps, changes)
    local scenario = bank:scenario(steps)
    local options = survive.options(changes)
    options.baseUrl = scenario.baseUrl
    return function() return auth.authenticate(options) end, scenario
  end

  it("stores no cookie", function()
    local cookies = {["Set-Cookie"] = {"session=1; Path=/", "b=2; Path=/"}}
    local call, scenario = calls{{headers = cookies}}
    for _ = 1, 4 do assert(call()) end
    for _, request in ipairs(scenario:requests()) do assert.is_nil(request.headers.cookie) end
  end)

  it("follows each redirect anew", function()
    local hop = {redirect = "/s/NAME/moved/authenticate"}
    local call, scenario = calls{hop, {}, hop, {}, hop, {}, hop, {}}
    for _ = 1, 4 do assert(call()) end
    local requests = scenario:requests()
    assert.equal(8, #requests)
    for i = 1, 8 do
      assert.equal(i % 2 == 0, requests[i].uri:find("/moved/", 1, true) ~= nil)
    end
  end)

  it("goes on after every kind of failure", function()
    local call, scenario = calls{{}, {}, {}, {endless = true}, {}, {status = 401}, {}, {body = ""},
      {}, {status = 204, body = ""}, {}}
    for i = 1, 11 do assert.equal(i <= 3 or i % 2 == 1, call() ~= nil, i) end
    assert.equal(11, scenario:posts())
  end)

  it("gives a second try what is left of the timeout", function()
    local timeout, half = survive.seconds(2), survive.seconds(1)
    local call, scenario = calls({{}, {}, {status = 503, delay = half}, {delay = 2 * timeout}},
      {attempts = 2, timeout = timeout})
    for _ = 1, 2 do assert(call()) end
    local began = core.boot()
    assert.equal("timeout", select(3, call()).code)
    assert.is_true(core.boot() - began < timeout + half / 2)
    assert.equal(4, scenario:posts())
  end)

  it("does not outlive the modules: a table read after they are loaded again is another", function()
    local call, first = calls{}
    for _ = 1, 3 do assert(call()) end
    local second = bank:scenario{}
    local loaded = {}
    for name, module in pairs(package.loaded) do
      if name:find("^corebank%.auth") then loaded[name] = module end
    end
    for name in pairs(loaded) do package.loaded[name] = nil end
    local again = require "corebank.auth"
    local options = survive.options{baseUrl = second.baseUrl}
    for _ = 1, 3 do assert(again.authenticate(options)) end
    for name, module in pairs(loaded) do package.loaded[name] = module end
    assert.equal(3, first:posts())
    assert.equal(3, second:posts())
  end)
end)
