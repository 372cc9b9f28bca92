-- auth.authenticateAll takes the options that elements share; an element gives what differs.

local auth = require "corebank.auth"
local client = require "corebank.auth.client.client"
local core = require "corebank.auth.core"
local many = require "spec.support.many"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

-- Calls `work`, and returns how many endpoints were made meanwhile.
local function count_endpoints(work)
  local endpoint, count = core.endpoint, 0
  function core.endpoint(...)
    count = count + 1
    return endpoint(...)
  end
  local ok, fault = pcall(work)
  core.endpoint = endpoint
  assert(ok, fault)
  return count
end

local function credentials(count)
  local list = {}
  for i = 1, count do list[i] = {clientId = "id-" .. i, clientSecret = "canary-secret-" .. i} end
  return list
end

local function shared_with(changes)
  return survive.options{clientId = survive.ABSENT, clientSecret = survive.ABSENT,
    baseUrl = changes.baseUrl, parallel = changes.parallel, attempts = changes.attempts,
    timeout = changes.timeout}
end

describe("shared options", function()
  it("serve all elements, which give their credentials, by one endpoint #transfer", function()
    local scenario = bank:scenario{{accept = "any"}}
    local results
    assert.equal(1, count_endpoints(function()
      results = auth.authenticateAll(credentials(40), shared_with{baseUrl = scenario.baseUrl,
        parallel = 8})
    end))
    for _, result in ipairs(results) do assert(result.token, result.message) end
    local seen, count = {}, 0
    for _, request in ipairs(scenario:requests()) do
      local id, number = request.body:match(
        '^{"clientId":"id%-(%d+)","clientSecret":"canary%-secret%-(%d+)"}$')
      assert.equal(number, id)
      if not seen[id] then count = count + 1 end
      seen[id] = true
    end
    assert.equal(40, count)
    survive.no_canary(results)
  end)

  it("are overridden by what an element gives again", function()
    local world = many.world(function() return {status = 503} end)
    local list = {many.element{attempts = 3}, {clientId = "a", clientSecret = "canary-secret"}}
    local results = many.run(world, list, {baseUrl = "https://bank.example", attempts = 2})
    assert.equal(3, results[1].problem.attempts)
    assert.equal(2, results[2].problem.attempts)
    assert.equal(5, #world.posts)
  end)

  it("may be the credentials, too, with places that differ #transfer", function()
    local one, two = bank:scenario{{}}, bank:scenario{{}}
    local shared = survive.options{baseUrl = survive.ABSENT}
    local list = {{baseUrl = one.baseUrl}, {baseUrl = two.baseUrl}}
    for _, result in ipairs(auth.authenticateAll(list, shared)) do
      assert(result.token, result.message)
    end
    assert.equal(1, one:posts())
    assert.equal(1, two:posts())
  end)

  it("count for an element whose options come through a metatable", function()
    local world = many.world(function() return {status = 503} end)
    local given = setmetatable({clientId = "a"}, {__index = {clientSecret = "canary-secret",
      attempts = 4}})
    local results = many.run(world, {given}, {baseUrl = "https://bank.example", attempts = 2})
    assert.equal(4, results[1].problem.attempts)
  end)

  it("leave clients alone", function()
    local world = many.world(function() return {status = 503} end)
    local kept = many.client(world, {attempts = 1})
    local results = many.run(world, {kept, {clientId = "a", clientSecret = "canary-secret"}},
      {baseUrl = "https://bank.example", attempts = 2})
    assert.equal(1, results[1].problem.attempts)
    assert.equal(2, results[2].problem.attempts)
    assert.is_true(client.is(kept))
  end)

  it("leave nothing of a key's passphrase or of a secret", function()
    local world = many.world(function() return {token = "canary-token", validity = 60} end)
    local made, secret = {}, core.secret
    function core.secret(...)
      made[#made + 1] = secret(...)
      return made[#made]
    end
    many.run(world, credentials(3), {baseUrl = "https://bank.example", clientCert = "client.pem",
      clientKeyPassword = "canary-passphrase"})
    core.secret = secret
    assert.is_true(#made > 3)
    for _, value in ipairs(made) do assert.is_false(core.is_secret(value)) end
  end)
end)

describe("a mistake", function()
  local function raises(pattern, list, given)
    local posts = bank:posts()
    local ok, message = pcall(function() return (auth.authenticateAll(list, given)) end)
    assert.is_false(ok)
    assert.is_truthy(message:find("shared_options_spec.lua:%d+: authenticateAll: " .. pattern),
      message)
    assert.equal(posts, bank:posts())
    survive.no_canary(message)
  end

  it("in a shared option raises and names it, whatever the elements give", function()
    for _, list in ipairs{{}, credentials(2), {survive.options()}} do
      raises("timeout must be", list, shared_with{timeout = -1})
      raises("unknown option 'timeOut'; did you mean 'timeout'%?", list, {timeOut = 1})
      raises("leeway is an option of auth.client only", list, {leeway = 3})
    end
    raises("baseUrl must begin with https://", credentials(2), {baseUrl = "ftp://bank.example"})
    raises("baseUrl is missing", credentials(2), {})
  end)

  it("in an element raises and names the element", function()
    local list = credentials(3)
    list[2].clientId = ("x"):rep(101)
    raises("element 2: clientId must have at most", list, shared_with{})
    list[2] = {clientId = "id", clientSecret = "canary-secret", timeout = "1"}
    raises("element 2: timeout must be a number", list, shared_with{})
    list[2] = {clientId = "id"}
    raises("element 2: clientSecret is missing", list, shared_with{})
  end)
end)
