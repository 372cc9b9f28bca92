-- S29, S35: what the command tells of the token at hand, to people, to programs, and by its status.

local command = require "spec.support.command"
local dkjson = require "dkjson"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local user = command.user(before_each, after_each)

local function run(words, changes) return user:run(command.trusting(words), changes) end

local function told(words, changes)
  local all = {"explain", "--format", "json"}
  for _, word in ipairs(words or {}) do all[#all + 1] = word end
  local result = run(all, changes)
  survive.no_canary(result.out)
  local read, _, fault = dkjson.decode(result.out)
  assert.is_nil(fault)
  return read, result.status
end

describe("S29: explain #slow", function()
  -- Without daylight saving: as many hours off at any time. POSIX counts them westwards.
  local ZONES = {UTC0 = "+00:00", ["<+0530>-5:30"] = "+05:30", ["<-0330>3:30"] = "-03:30",
    ["<+14>-14"] = "+14:00"}

  it("shows moments as RFC 3339 has them, with the zone", function()
    assert.equal(0, run{"token"}.status)
    for zone, offset in pairs(ZONES) do
      local out = run({"explain"}, {TZ = zone}).out
      for _, shown in ipairs{out:match "until (%S+)\n", told({}, {TZ = zone})["until"]} do
        assert.equal(offset, shown:match("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d([+-]%d%d:%d%d)$"), out)
        local moment = tonumber(files.lines_of(("date -d %s +%%s"):format(shown))[1])
        assert.is_true(math.abs(moment - os.time() - 3600) <= survive.seconds(15))
      end
    end
  end)

  it("tells a program of a token in the store", function()
    assert.equal(0, run{"token"}.status)
    local read, status = told()
    assert.equal(0, status)
    assert.equal(bank.url, read.bank)
    assert.equal("file", read.store)
    assert.equal(user.home .. "/.cache/corebank-auth", read.dir)
    assert.equal("fresh", read.state)
    assert.equal("store", read.source)
    assert.is_true(read.remaining > 3500 and read.remaining <= 3600)
    assert.is_true(read.refreshIn > 3000 and read.refreshIn < read.remaining)
    assert.is_nil(read.problem)
  end)

  it("tells a program of a denial, and of the pause after it", function()
    local wrong = {COREBANK_CLIENT_SECRET = "canary-secret-wrong", TZ = "UTC0"}
    assert.equal(3, run({"token"}, wrong).status)
    local posts = bank:posts()
    local read, status = told({}, wrong)
    assert.equal(9, status)
    assert.equal("none", read.state)
    assert.is_truthy(read.problem:find("check --client-id and the client secret", 1, true))
    assert.is_truthy(read.problemAt:find("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%+00:00$"))
    assert.is_true(read.pause > 0 and read.pause <= 5)
    assert.is_nil(read["until"] or read.remaining)
    assert.is_truthy(run({"explain"}, wrong).out:find("%(%d+%-%d%d%-%d%dT[%d:]+%+00:00%)"))
    assert.equal(posts, bank:posts())
  end)

  it("escapes what JSON forbids", function()
    local dir = user.home .. '/a "b" \\ c\1'
    assert.equal(0, run{"token", "--store-dir", dir}.status)
    assert.equal(dir, told{"--store-dir", dir}.dir)
  end)

  it("ends with 9 when there is no valid token: none, expired, or no store", function()
    assert.equal(9, run{"explain"}.status)
    assert.equal(9, run{"explain", "--no-store"}.status)
    local read, status = told()
    assert.equal(9, status)
    assert.equal("none", read.state)
    assert.equal(0, run{"token"}.status)
    assert.equal(0, run{"explain"}.status)
    assert.equal(9, run{"explain", "--leeway", "3700", "--refresh-ahead", "3700"}.status)
    assert.equal(0, run{"forget"}.status)
    assert.equal(9, run{"explain"}.status)
  end)

  it("takes no format of token's, nor token one of its", function()
    assert.equal(2, run{"explain", "--format", "env"}.status)
    assert.equal(2, run{"token", "--format", "text"}.status)
  end)
end)

describe("S35: token --refresh #slow", function()
  local function refresh(scenario, ...)
    return run{"token", "--refresh", "--attempts", "1", "--base-url", scenario.baseUrl, ...}
  end

  it("ends with 8 when it prints the token at hand, and says why", function()
    local scenario = bank:scenario{{}}
    local first = refresh(scenario)   -- there was none
    assert.equal(0, first.status)
    local second = refresh(scenario)
    assert.equal(0, second.status)
    assert.not_equal(first.out, second.out)
    local third = refresh(scenario)
    assert.equal(8, third.status)
    assert.equal(second.out, third.out)
    assert.is_truthy(third.err:find("the last refresh was seconds ago", 1, true), third.err)
    assert.equal(0, run{"token", "--base-url", scenario.baseUrl}.status)
    assert.equal(2, scenario:posts())
  end)

  it("ends with 8 when the bank gives the same token again", function()
    local scenario = bank:scenario{{token = "canary-token-same"}}
    assert.equal(0, refresh(scenario).status)
    local again = refresh(scenario)
    assert.equal("canary-token-same\n", again.out)
    assert.equal(8, again.status)
    assert.is_truthy(again.err:find("the bank gave the same token again", 1, true), again.err)
  end)

  it("asks the bank once, also when the token was due for a refresh", function()
    local scenario = bank:scenario{{}}
    local first = refresh(scenario)
    local second = refresh(scenario, "--refresh-ahead", "1799", "--leeway", "1")
    assert.equal(0, second.status)
    assert.not_equal(first.out, second.out)
    assert.equal(2, scenario:posts())
  end)

  it("ends with 8, and the rejected token, each time that the bank fails", function()
    for said, failing in pairs{["status 401"] = {status = 401}, ["status 503"] = {status = 503},
      ["is not one JSON"] = {body = "<html>"}} do
      local scenario = bank:scenario{{}, failing}
      local first = refresh(scenario)
      for _ = 1, 2 do
        local again = refresh(scenario)
        assert.equal(8, again.status)
        assert.equal(first.out, again.out)
        assert.is_truthy(again.err:find("no new token: .*" .. said .. ".*rejected"), again.err)
      end
      local plain = run{"token", "--attempts", "1", "--base-url", scenario.baseUrl}
      assert.same({0, first.out}, {plain.status, plain.out})   -- it has not ended yet
      assert.is_truthy(plain.err:find("no new token: .*rejected"), plain.err)
    end
  end)
end)
