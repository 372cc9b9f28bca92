-- What the command keeps between two runs.

local command = require "spec.support.command"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()
local trusting = command.trusting
local quoted = files.quoted
local user = command.user(setup, teardown)

describe("the store #slow", function()
  local environment

  before_each(function()
    local cache = files.new_folder()
    environment = {XDG_CACHE_HOME = cache, COREBANK_BASE_URL = bank:scenario{{}, {}, {}}.baseUrl}
  end)
  after_each(function() os.execute("rm -rf " .. quoted(environment.XDG_CACHE_HOME)) end)

  local function succeeds(words)
    local result = user:run(words, environment)
    assert.equal(0, result.status, result.err)
    assert.equal("", result.err)
    return result.out
  end

  it("gives the same token to every call, for one POST", function()
    local posts = bank:posts()
    local first = succeeds(trusting{"token"})
    assert.equal(first, succeeds(trusting{"token"}))
    assert.equal(first,
      succeeds(trusting{"token", "--timeout", "7", "--header", "X-Request-ID: b"}))
    assert.equal(1, bank:posts() - posts)
  end)

  it("can be turned off and moved", function()
    local first = succeeds(trusting{"token"})
    assert.not_equal(first, succeeds(trusting{"token", "--no-store"}))
    local elsewhere = environment.XDG_CACHE_HOME .. "/elsewhere"
    assert.not_equal(first, succeeds(trusting{"token", "--store-dir", elsewhere}))
    assert.equal(first, succeeds(trusting{"token"}))
  end)

  it("gives up a token that the API does not accept", function()
    local posts = bank:posts()
    local first = succeeds(trusting{"token", "--refresh"})   -- fresh as it is
    assert.equal(1, bank:posts() - posts)
    local second = succeeds(trusting{"token", "--refresh"})
    assert.not_equal(first, second)
    assert.equal(second, succeeds(trusting{"token"}))
    local result = user:run(trusting{"token", "--refresh"}, environment)
    assert.equal(second, result.out)   -- one that is seconds old
    assert.equal(8, result.status)
    assert.is_truthy(result.err:find("the last refresh was seconds ago", 1, true), result.err)
    assert.equal(2, bank:posts() - posts)
  end)

  it("is explained without asking the bank", function()
    local posts = bank:posts()
    local none = user:run({"explain"}, environment)
    assert.equal(9, none.status)
    assert.is_truthy(none.out:find("\ntoken     none;"))
    assert.equal(0, bank:posts() - posts)
    succeeds(trusting{"token"})
    local told = succeeds{"explain"}
    assert.is_truthy(told:find("token     fresh, 359%d s left, until %d%d%d%d%-"), told)
    assert.is_truthy(told:find("store     file in " .. environment.XDG_CACHE_HOME, 1, true), told)
    assert.is_truthy(told:find("problem   none", 1, true))
    assert.is_nil(told:find("canary"))
    assert.equal(1, bank:posts() - posts)
  end)

  it("tells the next process of a denial, and explains it", function()
    local posts = bank:posts()
    environment.COREBANK_CLIENT_SECRET = "wrong"
    user:fails(3, trusting{"token"}, environment)
    assert.is_truthy(user:fails(3, trusting{"token"}, environment)
      :find("nothing was sent", 1, true))
    assert.equal(1, bank:posts() - posts)
    local told = user:run({"explain"}, environment).out
    assert.is_truthy(told:find("does not accept these credentials.* %-%-client%-id"), told)
    assert.is_truthy(told:find("\npause     the bank is not asked for %d s\n"), told)
  end)

  it("forgets", function()
    local first = succeeds(trusting{"token"})
    assert.equal("", succeeds{"forget"})
    assert.equal("", succeeds{"forget"})
    assert.not_equal(first, succeeds(trusting{"token"}))
  end)

  it("that fails is said to fail, and the token comes all the same", function()
    local result = user:run(trusting{"token", "--store-dir", "/proc/no such folder"}, environment)
    assert.equal(0, result.status)
    assert.is_truthy(result.out:find("^canary%-token"))
    assert.is_truthy(result.err:find("^corebank%-auth: the store failed %([^\n]*\n$"), result.err)
    local open = environment.XDG_CACHE_HOME .. "/open"
    os.execute("mkdir -m 777 " .. quoted(open))
    user:fails(1, {"forget", "--store-dir", open}, environment)
  end)

  it("that has the token spares initialising libcurl", function()
    local script = user:write("started.lua", [[
      local core = require "corebank.auth.core"
      local status = require "corebank.auth.cli.main".run(arg)
      io.stderr:write(status, " ", tostring(core.libcurl_is_started()), "\n")]])
    local function started()
      return user:run(user:line(trusting{"token"}, environment, script)).err
    end
    assert.equal("0 true\n", started())
    assert.equal("0 false\n", started())
  end)

  it("gets the refresh that was under way when the old token was printed", function()
    local scenario = bank:scenario{{validity = 4, expiration = false}, {delay = 0.5}}
    environment.COREBANK_BASE_URL = scenario.baseUrl
    local words = trusting{"token", "--refresh-ahead", "3"}
    local first = succeeds(words)
    os.execute("sleep 2.5")
    assert.equal(first, succeeds(words))
    assert.equal(2, scenario:posts())
    assert.not_equal(first, succeeds(words))
    assert.equal(2, scenario:posts())
  end)
end)
