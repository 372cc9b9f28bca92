-- The command with --store redis://…: one token for several hosts.

local command = require "spec.support.command"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"

if not redis.possible then return end

local bank = sandbox.bank()
local user = command.user(setup, teardown)
local trusting = command.trusting

describe("--store redis://… #slow", function()
  local environment

  before_each(function()
    environment = {COREBANK_BASE_URL = bank:scenario{{}, {}, {}}.baseUrl,
      LUA_PATH = package.path}   -- redis-lua lies in the folders of Lua 5.3
  end)
  after_each(redis.stop_all)

  local function run(words, url)
    table.insert(words, "--store")
    table.insert(words, url)
    return user:run(trusting(words), environment)
  end

  it("gives the same token to every host, until it is forgotten", function()
    local server = redis.start{requirepass = "canary-redis-password"}
    environment.COREBANK_REDIS_PASSWORD = "canary-redis-password"
    local first = run({"token"}, server.url)
    assert.equal(0, first.status, first.err)
    assert.equal("", first.err)
    assert.equal(first.out, run({"token"}, server.url).out)
    assert.truthy(run({"explain"}, server.url).out:find("store *redis"))
    assert.equal(0, run({"forget"}, server.url).status)
    assert.not_equal(first.out, run({"token"}, server.url).out)
  end)

  it("is looked at by doctor, and does not get in the way of a token", function()
    local server = redis.start{requirepass = "canary-redis-password"}
    local doctor = run({"doctor"}, server.url)
    assert.equal(2, doctor.status)
    local advice = "NOAUTH, a password is needed (--no-store does without)"
    assert.truthy(doctor.out:find(advice, 1, true), doctor.out)
    local token = run({"token"}, server.url)
    assert.equal(0, token.status)
    assert.truthy(token.err:find("the store failed (get): redis: NOAUTH", 1, true), token.err)
    environment.COREBANK_REDIS_PASSWORD = "canary-redis-password"
    doctor = run({"doctor"}, server.url)
    assert.equal(0, doctor.status, doctor.out)
    assert.truthy(doctor.out:find("redis at " .. server.url, 1, true), doctor.out)
  end)

  it("keeps its password from the program of exec", function()
    local server = redis.start{requirepass = "canary-redis-password"}
    environment.COREBANK_REDIS_PASSWORD = "canary-redis-password"
    local result = user:run(trusting{"exec", "--store", server.url, "--", "sh", "-c",
      "echo ${COREBANK_REDIS_PASSWORD-none}"}, environment)
    assert.equal("none\n", result.out, result.err)
  end)

  for url, mistake in pairs{
    ["redis://user:canary-pass@127.0.0.1"] = "--store must have no password, as every user",
    ["redis://user@127.0.0.1"] = "there is no password; set COREBANK_REDIS_PASSWORD",
    ["rediss://127.0.0.1"] = "--store: rediss:// needs a client that knows TLS",
    ["http://127.0.0.1"] = "--store must begin with redis://",
    ["redis://"] = "--store must have a host",
  } do
    it("refuses " .. url:gsub(":canary%-pass", ":…") .. ", and repeats no password", function()
      local result = run({"token"}, url)
      assert.equal(2, result.status)
      assert.truthy(result.err:find(mistake, 1, true), result.err)
      assert.falsy(result.err:find("canary-pass", 1, true))
    end)
  end

  it("says nothing of Lua about a password file that others may read", function()
    environment.COREBANK_REDIS_PASSWORD_FILE = user:write("password", "canary-pass")
    os.execute("chmod 644 " .. environment.COREBANK_REDIS_PASSWORD_FILE)
    local result = run({"token"}, "redis://127.0.0.1")
    assert.equal(2, result.status)
    assert.truthy(result.err:find "COREBANK_REDIS_PASSWORD_FILE is open to every user; chmod ",
      result.err)
    assert.falsy(result.err:find("auth.", 1, true), result.err)
  end)

  it("excludes the other flags that choose a store, and two passwords", function()
    for flag, value in pairs{["--no-store"] = false, ["--store-dir"] = "/tmp"} do
      local result = run({"token", flag, value or nil}, "redis://127.0.0.1")
      assert.equal(2, result.status)
      assert.truthy(result.err:find("--store and " .. flag .. " exclude each other", 1, true))
    end
    environment.COREBANK_REDIS_PASSWORD = "canary-pass"
    environment.COREBANK_REDIS_PASSWORD_FILE = "/canary-file"
    local result = run({"token"}, "redis://127.0.0.1")
    assert.equal(2, result.status)
    assert.truthy(result.err:find("unset one of the two", 1, true), result.err)
  end)
end)
