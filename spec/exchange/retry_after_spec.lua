-- FIELD S10: how long a bank asks to be left alone, and what a 429 means that does not say.

local auth = require "corebank.auth"
local fake = require "spec.support.fake"
local files = require "spec.support.files"
local memory = require "corebank.auth.store.memory"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

-- Less than any pause below that is to be waited for, however slow the machine is.
local TIMEOUT = math.min(survive.seconds(2), 9)

-- A refused call with three attempts and little time: a pause that does not fit is not begun.
local function refused(status, headers, code, posts)
  local scenario = bank:scenario{{status = status, headers = headers}}
  return survive.case{code = code, posts = posts, count = function() return scenario:posts() end,
    options = {baseUrl = scenario.baseUrl, attempts = 3, timeout = TIMEOUT}}
end

local DATE = "Mon, 02 Nov 2026 10:00:00 GMT"

-- What is sent, and the seconds that it means.
local WRITTEN = {
  ["30"] = 30, ["30.0"] = 30, ["30.5"] = 30.5, ["12.75"] = 12.75, ["30."] = 30, ["+30"] = 30,
  ["030"] = 30, [" 30 "] = 30, ["\t30\t"] = 30, ["300"] = 300, ["301"] = 300, ["3600.0"] = 300,
  ["99999999999999999999"] = 300, ["30, 45.5"] = 45.5,
  ["Mon, 02 Nov 2026 10:00:45 GMT"] = 45, ["30, Mon, 02 Nov 2026 10:00:45 GMT"] = 45,
  ["Monday, 02-Nov-26 10:00:45 GMT"] = 45,
  ["Mon Nov  2 10:00:45 2026"] = 45, [" Mon, 02 Nov 2026 10:00:45 GMT "] = 45,
  ["Mon, 02 Nov 2026 12:00:45 GMT"] = 300,
}

-- What tells nothing.
local NONSENSE = {"-5", "-30.5", "soon", "30s", "30 seconds", "1e3", "0x1e", "PT30S", "NaN", "inf",
  "", ".", "+", "1.2.3", "1,5s", "30,", "2026-11-02"}

describe("S10: Retry-After #transfer", function()
  for text, seconds in pairs(WRITTEN) do
    it(("of '%s' is %g seconds"):format(text:gsub("\t", " "), seconds), function()
      for status, code in pairs{[429] = "limited", [503] = "server"} do
        local problem = refused(status, {Date = DATE, ["Retry-After"] = text}, code, 1)
        assert.equal(seconds, problem.retryAfter)
        assert.is_true(problem.retryable)
      end
    end)
  end

  for _, text in ipairs(NONSENSE) do
    it(("of '%s' is as absent"):format(text), function()
      assert.is_nil(refused(429, {["Retry-After"] = text}, "limited", 1).retryAfter)
    end)
  end

  it("that lies in the past, or is 0, asks for nothing", function()
    for _, text in ipairs{"0", "0.0", "Mon, 02 Nov 2026 09:00:00 GMT"} do
      local problem = refused(503, {Date = DATE, ["Retry-After"] = text}, "server", 3)
      assert.equal(0, problem.retryAfter)
    end
  end)

  it("given several times counts for the longest", function()
    local problem = refused(429, {["Retry-After"] = {"10", "40", "20"}}, "limited", 1)
    assert.equal(40, problem.retryAfter)
    problem = refused(429, {Date = DATE,
      ["Retry-After"] = {"10", "Mon, 02 Nov 2026 10:00:45 GMT"}}, "limited", 1)
    assert.equal(45, problem.retryAfter)
  end)

  it("with a fraction is waited for when that fits", function()
    for _, status in ipairs{429, 503} do
      local scenario = bank:scenario{{status = status, headers = {["Retry-After"] = "0.3"}}, {}}
      local _, took = survive.case{posts = 2, count = function() return scenario:posts() end,
        options = {baseUrl = scenario.baseUrl, attempts = 2}}
      assert.is_true(took >= 0.3)
    end
  end)

  it("on the line below its name is read, and nobody else's is", function()
    for lines, seconds in pairs{["Retry-After:\r\n 30"] = 30, ["Retry-After: \r\n\t30 "] = 30,
      ["Retry-After:\r\nX-A: a\r\n 30"] = false, ["X-A: a\r\n Retry-After: 30"] = false,
      ["Retry-After:\r\n " .. ("3"):rep(300)] = false} do
      local raw = sandbox.raw{connections = {{"read_request", {"send",
        "HTTP/1.1 429 Busy\r\n" .. lines .. "\r\nContent-Length: 0\r\n\r\n"}}}}
      local _, _, problem = auth.authenticate(survive.options{baseUrl = raw.url})
      raw:stop()
      assert.equal(429, problem.status)
      assert.equal(seconds or nil, problem.retryAfter)
    end
  end)

  it("in the trailer of a body is not read", function()
    local raw = sandbox.raw{connections = {{"read_request", {"send",
      "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\nTrailer: Retry-After\r\n\r\n"
      .. "2\r\nno\r\n0\r\nRetry-After: 120\r\n\r\n"}}}}
    local _, _, problem = auth.authenticate(survive.options{baseUrl = raw.url})
    raw:stop()
    assert.equal(503, problem.status)
    assert.is_nil(problem.retryAfter)
  end)
end)

describe("S10: a 429 that does not say how long #transfer", function()
  it("is not asked again within the call", function()
    assert.is_true(refused(429, {}, "limited", 1).retryable)
  end)

  it("keeps off all who share a store of files", function()
    local folder = files.new_folder()
    local scenario = bank:scenario{{status = 429}}
    local function call()
      local client = auth.client(survive.options{baseUrl = scenario.baseUrl,
        store = auth.store.file{dir = folder}})
      local _, _, problem = client:token()
      client:close()
      return problem
    end
    assert.is_nil(call().remembered)
    assert.is_true(call().remembered)
    assert.equal(1, scenario:posts())
    os.execute("rm -rf " .. files.quoted(folder))
  end)
end)

-- A client in a world without sockets, against a bank that answers 429.
local function limited_client(world, store)
  local client = require "corebank.auth.client.client"
  local options = require "corebank.auth.options.read"
  local settings = assert(options.read{baseUrl = "https://bank.example", clientId = "id",
    clientSecret = "canary-secret", attempts = 3})
  settings.store = store
  return client.new(settings, world.system, world.host)
end

describe("S10: a client whose bank answers 429 and does not say how long", function()
  it("asks after a second, doubling to a minute, and anew after a token", function()
    local world
    world = fake.world(function(n)
      return n == 9 and {token = "canary-token-9", validity = 10} or {status = 429}
    end)
    local client = limited_client(world)
    for _, seconds in ipairs{1, 2, 4, 8, 16, 32, 60, 60} do
      local _, _, problem = fake.ask(client, world)
      local posts = #world.posts
      assert.is_nil(problem.remembered)
      world.skip(seconds - 0.1)
      assert.is_true(select(3, fake.ask(client, world)).remembered)
      assert.equal(posts, #world.posts)
      world.skip(0.15)
    end
    assert(fake.ask(client, world))
    assert.equal(9, #world.posts)
    world.skip(20)
    assert.is_nil((fake.ask(client, world)))
    assert.is_true(client:explain().latchedFor <= 1)
  end)

  it("is asked again within the call when it says 0, and kept off after it all the same", function()
    local world = fake.world(function() return {status = 429, retryAfter = 0} end)
    local client = limited_client(world)
    for n, seconds in ipairs{1, 2, 4} do
      assert.is_nil(select(3, fake.ask(client, world)).remembered)
      assert.equal(3 * n, #world.posts)
      world.skip(seconds - 0.1)
      assert.is_true(select(3, fake.ask(client, world)).remembered)
      world.skip(0.15)
    end
  end)

  it("shares that with others through a store", function()
    local world = fake.world(function() return {status = 429} end)
    local store = memory.new()
    for n = 0, 3 do
      local _, _, problem = fake.ask(limited_client(world, store), world)
      assert.is_nil(problem.remembered)
      world.skip(0.05)
      assert.is_true(select(3, fake.ask(limited_client(world, store), world)).remembered)
      assert.equal(n + 1, #world.posts)
      world.skip(2 ^ n - 0.25)
      assert.is_true(select(3, fake.ask(limited_client(world, store), world)).remembered)
      world.skip(0.3)
    end
  end)

  it("keeps to a Retry-After instead, when there is one", function()
    local world = fake.world(function() return {status = 429, retryAfter = 12.5} end)
    local client = limited_client(world)
    for n = 1, 3 do
      fake.ask(client, world)
      assert.equal(n, #world.posts)
      world.skip(12.4)
      assert.is_true(select(3, fake.ask(client, world)).remembered)
      world.skip(0.2)
    end
  end)
end)
