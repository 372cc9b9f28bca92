-- FAULTS of processes that share a token through the file store, at the real bank.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local socket = require "socket"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

describe("processes that share a file store #slow", function()
  local dir

  before_each(function() dir = files.new_folder() end)

  after_each(function() os.execute("rm -rf " .. dir) end)

  local function client_of(scenario, changes)
    local options = survive.options{baseUrl = scenario.baseUrl, timeout = 10,
      store = auth.store.file{dir = dir}}
    for name, value in pairs(changes or {}) do options[name] = value end
    return auth.client(options)
  end

  -- Starts `count` processes that each do `job`, at once; their ids.
  local function start(count, job)
    local children = {}
    for i = 1, count do children[i] = process.fork(job) end
    return children
  end

  -- How many of them ended well.
  local function good(children)
    local n = 0
    for _, child in ipairs(children) do
      if process.wait(child) == 0 then n = n + 1 end
    end
    return n
  end

  local function await_posts(scenario, count)
    sandbox.await("the bank is not asked", function() return scenario:posts() >= count end,
      survive.seconds(10))
  end

  it("20 of them, cold: 1 POST, and each has the token", function()
    local scenario = bank:scenario{{delay = 0.3}}
    local children = start(20, function() return client_of(scenario):token() ~= nil end)
    assert.equal(20, good(children))
    assert.equal(1, scenario:posts())
    assert(client_of(scenario):token())
    assert.equal(1, scenario:posts())
  end)

  it("20 of them, cold, and the bank answers 503: 1 POST, and each has the problem", function()
    -- One that begins after the answer asks anew.
    local scenario = bank:scenario{{status = 503, delay = survive.seconds(1)}}
    local children = start(20, function()
      local _, _, problem = client_of(scenario):token()
      return problem.code == "server" and problem.status == 503
    end)
    assert.equal(20, good(children))
    assert.equal(1, scenario:posts())
  end)

  it("the one that asks is killed: the others go on, with 1 more POST", function()
    local scenario = bank:scenario{{delay = 30}, {delay = 0.2}}
    local first = start(1, function() client_of(scenario):token() end)
    await_posts(scenario, 1)
    local others = start(10, function() return client_of(scenario):token() ~= nil end)
    socket.sleep(0.2)
    process.kill(first[1], 9)
    local began = socket.gettime()
    assert.equal(10, good(others))
    assert.is_true(socket.gettime() - began < survive.seconds(2))
    assert.equal(2, scenario:posts())
    process.wait(first[1])
  end)

  it("the one that asks is stopped: the others go on when its lease is over", function()
    local scenario = bank:scenario{{delay = 30}, {}}
    local first = start(1, function() client_of(scenario, {timeout = 1}):token() end)
    await_posts(scenario, 1)
    process.kill(first[1], 19)
    local others = start(5, function() return client_of(scenario):token() ~= nil end)
    assert.equal(5, good(others))
    assert.equal(2, scenario:posts())
    process.kill(first[1], 9)
    process.wait(first[1])
  end)

  it("a denial: told to the next process without a POST, until the secret is another", function()
    local scenario = bank:scenario{}
    local wrong = {clientSecret = "canary-secret-wrong"}
    assert.equal("denied", select(3, client_of(scenario, wrong):token()).code)
    for _ = 1, 5 do
      assert.is_true(select(3, client_of(scenario, wrong):token()).remembered)
    end
    assert.equal(1, scenario:posts())
    assert(client_of(scenario):token())
    assert.equal(2, scenario:posts())
  end)

  it("short lives in the stale time: one starts a refresh, none waits for it", function()
    local scenario = bank:scenario{{validity = 12}, {delay = 5}}
    local stale_early = {refreshAhead = 11, leeway = 0.2}   -- that is half of its life
    assert(client_of(scenario, stale_early):token())
    socket.sleep(6.8)   -- the jitter over
    for _ = 1, 5 do
      local short = start(1, function()
        local kept = client_of(scenario, stale_early)
        local longest = 0
        sandbox.await("no refresh is sent", function()
          local began = socket.gettime()
          assert(kept:token())
          longest = math.max(longest, socket.gettime() - began)
          return scenario:posts() == 2
        end)
        return longest < 2.5   -- the bank takes 5
      end)
      assert.equal(1, good(short))
    end
    assert.equal(2, scenario:posts())
  end)

  it("a forked child of the one that asks takes no lease and no token with it", function()
    local scenario = bank:scenario{{validity = 4}, {delay = 0.5}}
    local kept = client_of(scenario, {refreshAhead = 2, leeway = 0.2})
    assert(kept:token())
    socket.sleep(2.4)   -- the jitter over
    assert(kept:token())   -- the refresh is on its way, and the lease ours
    local child = start(1, function() return kept:token() ~= nil end)
    assert.equal(1, good(child))
    kept:settle()
    assert.is_true(kept:token():remaining() > 5)
    kept:close()
  end)

  it("what is in the folder shows no token", function()
    local scenario = bank:scenario{}
    local kept = client_of(scenario)
    local token = assert(kept:token())
    local pipe = io.popen("cat " .. dir .. "/* | strings -n 6; ls -l " .. dir)
    local shown = pipe:read("*a")
    pipe:close()
    assert.is_nil(shown:find(token.accessToken:sub(1, 12), 1, true))
    survive.no_canary(shown)
    assert.is_truthy(shown:find("%-rw%-%-%-%-%-%-%- "))
    kept:close()
  end)
end)
