-- corebank-auth token: what it prints and sends, and how it is interrupted.

local command = require "spec.support.command"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()
local trusting = command.trusting
local user = command.user(setup, teardown)

describe("corebank-auth token #slow", function()
  it("prints a token and nothing else", function()
    local result = user:run(trusting{"token", "--no-store"})
    assert.equal(0, result.status)
    assert.equal("", result.err)
    assert.is_truthy(result.out:find("^canary%-token%-[%w%-]+\n$"))
  end)

  it("prints a header for curl", function()
    assert.is_truthy(user:run(trusting{"token", "--no-store", "--format", "header"}).out
      :find("^Authorization: Bearer canary%-token%-[%w%-]+\n$"))
  end)

  it("prints JSON", function()
    local text = user:run(trusting{"token", "--no-store", "--format", "json"}).out
    local read = require("dkjson").decode(text)
    assert.equal("Bearer", read.tokenType)
    assert.equal(3600, read.tokenValiditySec)
    assert.is_truthy(read.accessToken:find("^canary%-token"))
    assert.is_true(math.abs(read.expirationTime / 1000 - read.expiresAt) <= 2)
    assert.is_true(math.abs(read.expiresAt - os.time() - 3600) <= 2)
  end)

  it("prints JSON without what the bank did not say", function()
    local scenario = bank:scenario{{expiration = false, validity = 60}}
    local text = user:run(trusting{"token", "--no-store", "--format", "json", "--base-url",
      scenario.baseUrl}).out
    assert.is_nil(text:find("expirationTime", 1, true))
    assert.equal(60, require("dkjson").decode(text).tokenValiditySec)
  end)

  it("prints what a shell evaluates", function()
    local line = user:line(trusting{"token", "--no-store", "--format", "env"})
    local lines = files.lines_of(('eval "$(%s)"; sh -c \'echo "$COREBANK_ACCESS_TOKEN"; '
      .. 'echo "$COREBANK_TOKEN_TYPE $COREBANK_TOKEN_EXPIRES_AT"\''):format(line))
    assert.is_truthy(lines[1]:find("^canary%-token%-[%w%-]+$"))
    assert.is_truthy(lines[2]:find("^Bearer %d+$"))
  end)

  it("sends the headers that are given", function()
    local scenario = bank:scenario{{}}
    local result = user:run(trusting{"token", "--no-store", "--base-url", scenario.baseUrl,
      "--header", "X-Gateway-Key: a: b", "--header", "X-Empty:"})
    assert.equal(0, result.status)
    local headers = scenario:requests()[1].headers
    assert.same({"a: b"}, headers["x-gateway-key"])
    assert.same({""}, headers["x-empty"])
  end)

  it("fails when what it prints cannot be written, and says so", function()
    local line = user:line(trusting{"token", "--no-store"})
    line = line:gsub("^env", "env --default-signal=PIPE")   -- whatever the specs inherited
    for _, closed in ipairs{line .. " >/dev/full", line .. " >&-",
      "{ sleep 0.3; " .. line .. "; echo $? >&2; } | true"} do
      local result = user:run(closed)
      assert.is_truthy(result.err:find("cannot write to the standard output", 1, true), closed)
      assert.is_true(result.status == 1 or result.err:find("\n1\n$") ~= nil, closed)
    end
  end)

  it("is interrupted by a signal while it waits: 130, and no trace of Lua", function()
    local scenario = bank:scenario{{delay = 5}}
    local line = user:line(trusting{"token", "--no-store", "--base-url", scenario.baseUrl})
    local result = user:run("timeout --preserve-status -s INT 0.5 " .. line)
    assert.equal(130, result.status)
    assert.equal("corebank-auth: interrupted\n", result.err)
  end)
end)
