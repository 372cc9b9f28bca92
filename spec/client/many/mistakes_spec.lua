-- Mistakes in what auth.authenticateAll is given raise at its caller's line, and send nothing.

local auth = require "corebank.auth"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

describe("a mistake", function()
  local bank = sandbox.bank()

  local function raises(pattern, list, given)
    local posts = bank:posts()
    local ok, message = pcall(function()
      local results = auth.authenticateAll(list, given)
      return results
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find("mistakes_spec.lua:%d+: authenticateAll: " .. pattern), message)
    assert.equal(posts, bank:posts())
    survive.no_canary(message)
  end

  local function good() return survive.options{} end

  it("in an element raises at the caller, names the element, and sends nothing", function()
    raises("element 2: baseUrl must begin with https://",
      {good(), survive.options{baseUrl = "ftp://bank.example"}, good()})
    raises("element 3: clientSecret must not be empty",
      {good(), good(), survive.options{clientSecret = ""}})
    raises("element 2: clientId must be a string", {good(), survive.options{clientId = 7}})
    raises("element 1: unknown option 'verfy'", {survive.options{verfy = false}})
    raises("element 2: must be a table of options or a client, not string", {good(), "a"})
    raises("element 2: must be a table of options or a client, not nil", {good(), nil, good()})
    raises("element 1: leeway is an option of auth.client only", {survive.options{leeway = 3}})
    local closed = auth.client(good())
    closed:close()
    raises("element 2: is a client that is closed", {good(), closed})
  end)

  it("in the list raises, too", function()
    raises("a list of tables of options is needed", nil)
    raises("a list of tables of options is needed", auth.client(good()))
    raises("a list is needed, and not one table of options", good())
  end)

  it("in the options for all raises, too", function()
    raises("the options must be a table, not number", {}, 32)
    raises("unknown option 'paralel'; did you mean 'parallel'%?", {}, {paralel = 3})
    raises("onProgress must be a function", {}, {onProgress = true})
    for _, value in ipairs{0, 257, 1.5, "8"} do
      raises("parallel must be a ", {}, {parallel = value})
    end
  end)
end)
