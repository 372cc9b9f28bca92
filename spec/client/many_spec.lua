-- Many tokens at once: order, bound, failures, clients in the list; in a world without sockets, and
-- against the sandbox bank.

local auth = require "corebank.auth"
local blocking = require "corebank.auth.host.blocking"
local client = require "corebank.auth.client.client"
local core = require "corebank.auth.core"
local fake = require "spec.support.fake"
local files = require "spec.support.files"
local many = require "corebank.auth.client.many"
local options = require "corebank.auth.options.read"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local function element(changes)
  local given = {baseUrl = "https://bank.example", clientId = "id", clientSecret = "canary-secret",
    attempts = 1}
  for name, value in pairs(changes or {}) do given[name] = value end
  return given
end

local function elements(count, changes)
  local list = {}
  for i = 1, count do list[i] = element(changes) end
  return list
end

-- A world whose host can wait for a batch: time passes, in steps of `tick` seconds. It knows how
-- many transfers were open at most.
local function new_world(answer, tick)
  local world = fake.world(answer)
  world.random = function() return 0 end
  world.most = 0
  function world.host.wait(batch)
    while not batch:step() do
      local open = 0
      for _ in pairs(world.open) do open = open + 1 end
      world.most = math.max(world.most, open)
      world.pass(tick or 0.005, tick or 0.005)
    end
  end
  return world
end

-- What a batch gives, and the seconds that it took.
local function run(world, list, given)
  local began = world.now
  local results, mistake = many(list, given, world.system, world.host)
  assert.is_nil(next(world.open))   -- every transfer was closed
  return results, mistake, world.now - began
end

local function new_client(world, changes)
  local settings = assert(options.read(element(changes), true))
  return client.new(settings, world.system, world.host, function() options.release(settings) end)
end

describe("a batch", function()
  it("gives results in the order of the list, whatever order they come in", function()
    local world = new_world(function(n)
      return {token = "canary-token-" .. n, validity = 60, takes = 1 / n}
    end)
    local results, _, took = run(world, elements(10))
    assert.equal(10, #results)
    for i, result in ipairs(results) do
      assert.equal("canary-token-" .. i, result.token.accessToken)
      assert.is_nil(result.problem)
    end
    assert.is_true(took < 1.1)   -- side by side
    survive.no_canary(results)
  end)

  it("has as many in the air as it may, and never more", function()
    for _, parallel in ipairs{1, 3, 7, 50} do
      local world = new_world(function() return {token = "t", validity = 60, takes = 1} end)
      local results, _, took = run(world, elements(70), {parallel = parallel})
      assert.equal(70, #results)
      assert.equal(parallel, world.most)
      assert.is_true(took < math.ceil(70 / parallel) + 0.5, took)
    end
  end)

  it("has 32 in the air unless told otherwise", function()
    local world = new_world(function() return {token = "t", validity = 60, takes = 1} end)
    run(world, elements(100))
    assert.equal(32, world.most)
  end)

  it("begins narrow, and widens only while nothing lands", function()
    local world = new_world(function() return {token = "t", validity = 60, takes = 0.001} end,
      0.0005)
    run(world, elements(500))
    assert.equal(4, world.most)
  end)

  it("widens by half, every 2 ms", function()
    for takes, most in pairs{[0.003] = 6, [0.005] = 9} do
      local world = new_world(function() return {token = "t", validity = 60, takes = takes} end,
        0.0005)
      run(world, elements(9))
      assert.equal(most, world.most)
    end
  end)

  it("leaves the others alone when one fails, and says why", function()
    local world = new_world(function(n)
      if n == 2 then return {status = 401, takes = 0.01} end
      if n == 3 then return {failure = "connect"} end
      return {token = "canary-token-" .. n, validity = 60, takes = 0.1}
    end)
    local results = run(world, elements(4))
    assert.equal("denied", results[2].problem.code)
    assert.equal(results[2].problem.message, results[2].message)
    assert.is_nil(results[2].token)
    assert.equal("connect", results[3].problem.code)
    assert.equal("canary-token-1", results[1].token.accessToken)
    assert.equal("canary-token-4", results[4].token.accessToken)
  end)

  it("pauses and tries again, each element for itself", function()
    local world = new_world(function(n)
      if n == 1 then return {status = 503, retryAfter = 2} end
      return {token = "canary-token-" .. n, validity = 60}
    end)
    local list = elements(3, {attempts = 2})
    local results, _, took = run(world, list)
    assert.equal(4, #world.posts)
    assert.equal("canary-token-4", results[1].token.accessToken)
    assert.is_true(took >= 2 and took < 2.1)
  end)

  it("tells how far it is, after each result", function()
    local world = new_world(function() return {token = "t", validity = 60, takes = 0.01} end)
    local told = {}
    run(world, elements(5), {parallel = 2, onProgress = function(done, total)
      told[#told + 1] = done .. "/" .. total
    end})
    assert.equal("1/5 2/5 3/5 4/5 5/5", table.concat(told, " "))
  end)

  it("of nothing gives nothing", function()
    local world = new_world(function() error "nobody is asked" end)
    assert.same({}, (run(world, {})))
  end)

  it("holds no more secrets than are in the air", function()
    local world = new_world(function() return {token = "t", validity = 60, takes = 0.1} end)
    local open, most = 0, 0
    local read, release = options.read, options.release
    function options.read(...)
      local settings, mistake = read(...)
      if settings then open = open + 1 end
      most = math.max(most, open)
      return settings, mistake
    end
    options.release = function(settings)
      open = open - 1
      return release(settings)
    end
    run(world, elements(50), {parallel = 5})
    options.read, options.release = read, release
    assert.equal(0, open)
    assert.equal(5, most)
  end)

  it("that is made to raise closes all that is open, and wipes it", function()
    local world = new_world(function(n)
      return {token = "t", validity = 60, takes = 0.01 * n}
    end)
    local secrets, read = {}, options.read
    function options.read(...)
      local settings, mistake = read(...)
      secrets[#secrets + 1] = settings.clientSecret
      return settings, mistake
    end
    local ok, fault = pcall(run, world, elements(50), {onProgress = function(done)
      if done == 3 then error("enough", 0) end
    end})
    options.read = read
    assert.is_false(ok)
    assert.equal("enough", fault)
    assert.is_nil(next(world.open))
    assert.is_true(#secrets > 3)
    for _, secret in ipairs(secrets) do assert.is_false(core.is_secret(secret)) end
  end)
end)

describe("a client in a batch", function()
  local function steady(takes)
    return function(n) return {token = "canary-token-" .. n, validity = 100, takes = takes} end
  end

  it("gives its token, and keeps it", function()
    local world = new_world(steady(0.5))
    local banks = {}
    for i = 1, 5 do banks[i] = new_client(world) end
    local results, _, took = run(world, {banks[1], banks[2], element(), banks[3], banks[4]})
    assert.equal(5, #world.posts)
    assert.is_true(took < 1)   -- side by side
    assert.equal(banks[1]:peek(), results[1].token)
    assert.equal(banks[4]:peek(), results[5].token)
    results = run(world, banks)
    assert.equal(6, #world.posts)   -- only the fifth had none
    assert.equal(banks[5]:peek(), results[5].token)
  end)

  it("that is there twice asks once", function()
    local world = new_world(steady(0.5))
    local bank = new_client(world)
    local results = run(world, {bank, bank})
    assert.equal(1, #world.posts)
    assert.equal(results[1].token, results[2].token)
  end)

  it("whose token is stale gets the next one, within the bound", function()
    local world = new_world(steady(0.5))
    local banks = {}
    for i = 1, 10 do banks[i] = new_client(world) end
    run(world, banks)
    world.skip(85)
    world.most = 0
    local results = run(world, banks, {parallel = 2})
    assert.equal(20, #world.posts)
    assert.equal(2, world.most)
    for i, bank in ipairs(banks) do assert.equal(bank:peek(), results[i].token) end
    assert.is_true(results[1].token:remaining() > 90)
  end)

  it("keeps its valid token when the refresh fails", function()
    local world = new_world(function(n)
      return n == 1 and {token = "canary-token-1", validity = 100} or {status = 503}
    end)
    local bank = new_client(world)
    run(world, {bank})
    world.skip(85)
    assert.equal("canary-token-1", run(world, {bank})[1].token.accessToken)
    assert.equal(2, #world.posts)
  end)

  it("that is denied says so, from memory the second time", function()
    local world = new_world(function() return {status = 401} end)
    local bank = new_client(world)
    assert.equal("denied", run(world, {bank})[1].problem.code)
    assert.is_true(run(world, {bank, bank})[2].problem.remembered)
    assert.equal(1, #world.posts)
  end)

  it("asks the bank anew when the batch before was made to raise, and time has passed", function()
    local world = new_world(function(n)
      return {token = "canary-token-" .. n, validity = 100, takes = n == 1 and 5 or 0}
    end)
    local bank = new_client(world)
    assert.has_error(function()
      many({bank, element()}, {onProgress = function() error("enough", 0) end}, world.system,
        world.host)
    end, "enough")
    world.skip(11)   -- more than its timeout: the answer has long been there, and nobody looked
    local token, message = fake.ask(bank, world)
    assert.equal("canary-token-3", token and token.accessToken, message)
  end)

  it("that is closed meanwhile is a problem, and no mistake", function()
    local world = new_world(steady(0.5))
    local banks = {new_client(world), new_client(world)}
    local results = run(world, banks, {parallel = 1, onProgress = function() banks[2]:close() end})
    assert.equal(banks[1]:peek(), results[1].token)
    assert.equal("closed", results[2].problem.code)
  end)
end)

describe("a mistake", function()
  local bank = sandbox.bank()

  local function raises(pattern, list, given)
    local posts = bank:posts()
    local ok, message = pcall(function()
      local results = auth.authenticateAll(list, given)
      return results
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find("many_spec.lua:%d+: authenticateAll: " .. pattern), message)
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
    raises("element 1: leeway is for a token that is kept", {survive.options{leeway = 3}})
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
    raises("unknown option 'paralel'; there are parallel and onProgress", {}, {paralel = 3})
    raises("onProgress must be a function", {}, {onProgress = true})
    for _, value in ipairs{0, 257, 1.5, "8"} do
      raises("parallel must be a ", {}, {parallel = value})
    end
  end)
end)

describe("authenticateAll #transfer", function()
  local bank = sandbox.bank()

  local function list_of(count, scenario)
    local list = {}
    for i = 1, count do list[i] = survive.options{baseUrl = scenario and scenario.baseUrl} end
    return list
  end

  it("takes no more files and memory the tenth time than the second", function()
    -- Few at a time, and before any wide batch: what such a one leaves would hide a leak.
    local function get()
      auth.authenticateAll(list_of(200), {parallel = 4})
      return survive.memory()
    end
    -- A leak grows each time; what the specs before have left in pieces may move once.
    local function grows()
      local memory = get()
      for _ = 1, 7 do get() end
      return get() > memory + 512   -- KiB
    end
    get()
    local open = files.count_entries("/proc/self/fd")
    local grew = grows() and grows() and grows()
    assert.is_true(files.count_entries("/proc/self/fd") <= open + 2)
    -- The tools that look for leaks themselves hold back what is freed.
    local build = os.getenv "CBA_BUILD"
    if build:find "asan" or build:find "valgrind" then return end
    assert.is_false(grew)
  end)

  -- How many connections a scenario's requests came on.
  local function connections(scenario)
    local seen, count = {}, 0
    for _, request in ipairs(scenario:requests()) do
      if not seen[request.connection] then count = count + 1 end
      seen[request.connection] = true
    end
    return count
  end

  it("gets 1,000 tokens with 1,000 POSTs, on at most 32 connections", function()
    local scenario = bank:scenario{{}}
    local seen = {}
    for i, result in ipairs(auth.authenticateAll(list_of(1000, scenario))) do
      assert(result.token, result.message)
      assert.is_nil(seen[result.token.accessToken], i)
      seen[result.token.accessToken] = true
    end
    assert.equal(1000, scenario:posts())
    assert.is_true(connections(scenario) <= 32, connections(scenario))
  end)

  it("leaves its connections for a batch that follows, whatever is called in between", function()
    local scenario = bank:scenario{{delay = 0.2}}
    local function batch()
      for _, result in ipairs(auth.authenticateAll(list_of(24, scenario))) do
        assert(result.token, result.message)
      end
    end
    batch()
    local first = connections(scenario)
    assert.is_true(first > 8, first)
    assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl}))
    batch()
    assert.equal(math.max(first, 24), connections(scenario))
  end)

  it("waits for all at the same time #slow", function()
    local scenario = bank:scenario{{delay = 0.3}}
    local began = core.boot()
    local results = auth.authenticateAll(list_of(30, scenario))
    assert.equal(30, #results)
    assert.is_true(core.boot() - began < survive.seconds(1.5))
  end)

  it("lets what was started earlier go on meanwhile", function()
    local earlier = {done = false, turns = 0}
    function earlier:advance() self.turns = self.turns + 1 end
    blocking.launch(earlier)
    auth.authenticateAll(list_of(3, bank:scenario{{delay = 0.1}}))
    earlier.done = true
    assert.is_true(earlier.turns > 0)
  end)

  it("sends each element its own credentials", function()
    local scenario = bank:scenario{{accept = "any"}}
    local list = list_of(100, scenario)
    for i, given in ipairs(list) do
      given.clientId, given.clientSecret = "id-" .. i, "canary-secret-" .. i
    end
    list[50].attempts, list[100].attempts = 2, 2   -- more than the credentials differ
    for _, result in ipairs(auth.authenticateAll(list)) do assert(result.token, result.message) end
    local seen, count = {}, 0
    for _, request in ipairs(scenario:requests()) do
      local id, number = request.body:match(
        '^{"clientId":"id%-(%d+)","clientSecret":"canary%-secret%-(%d+)"}$')
      assert.equal(number, id)
      if id and not seen[id] then count = count + 1 end
      seen[id or 0] = true
    end
    assert.equal(100, count)
  end)

  it("survives what a bank does to one of them, and works on", function()
    local good, refused = bank:scenario{{}}, bank:scenario{{status = 401}}
    local cut, silent = bank:scenario{{body = "{"}}, bank:scenario{{delay = 5}}
    local list = {}
    for i, scenario in ipairs{good, refused, cut, silent, good} do
      list[i] = survive.options{baseUrl = scenario.baseUrl, timeout = survive.seconds(1)}
    end
    list[6] = survive.options{baseUrl = "https://localhost:1"}
    list[7] = auth.client(survive.options{baseUrl = good.baseUrl})
    list[8] = auth.client(survive.options{baseUrl = refused.baseUrl})
    local began = core.boot()
    local results = auth.authenticateAll(list)
    assert.is_true(core.boot() - began < survive.seconds(1.25))
    local codes = {}
    for i, result in ipairs(results) do codes[i] = result.token and "-" or result.problem.code end
    assert.equal("- denied response timeout - connect - denied", table.concat(codes, " "))
    survive.no_canary(results)
    assert.equal(3, good:posts())
    assert.equal(2, refused:posts())
    assert(auth.authenticate(survive.options{attempts = 3}))
    list[7]:close()
    list[8]:close()
  end)

  it("that is interrupted ends all in the air: no later call sends it on #slow", function()
    local scenario = bank:scenario{{delay = 0.5}}
    local began = core.boot()
    local ok, fault = pcall(function()
      debug.sethook(function()
        local inside = debug.getinfo(2, "S").source:find("host/blocking", 1, true)
        if inside and core.boot() > began + 0.1 then
          debug.sethook()   -- as lua's own handler of Ctrl-C does
          error("interrupted", 0)
        end
      end, "l")
      return auth.authenticateAll(list_of(20, scenario))
    end)
    debug.sethook()
    assert.equal("interrupted", fault)
    assert.is_false(ok)
    local posts = scenario:posts()
    assert.is_true(posts > 1)
    assert(auth.authenticateAll{survive.options{}}[1].token)
    assert.equal(posts, scenario:posts())
  end)
end)
