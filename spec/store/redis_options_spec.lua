-- The options of auth.store.redis: what a URL says, and what is a mistake.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local options = require "corebank.auth.store.redis_options"

local function parts(url)
  local read = assert(options.read{url = url})
  return {read.host, read.port, read.database, read.user or false, read.password or false}
end

local function complaint(given)
  local ok, message = pcall(function() return (auth.store.redis(given)) end)
  assert.is_false(ok, tostring(given and given.url))
  assert.is_nil(message:find("canary", 1, true), message)
  return message:match("redis_options_spec.lua:%d+: store%.redis: (.*)") or "elsewhere: " .. message
end

describe("the URL of a Redis", function()
  it("has a host, and may have a port and a database", function()
    assert.same({"127.0.0.1", 6379, 0, false, false}, parts(nil))
    assert.same({"redis.example", 6379, 0, false, false}, parts "redis://redis.example")
    assert.same({"redis.example", 6379, 0, false, false}, parts "redis://redis.example/")
    assert.same({"r_1.example", 7000, 12, false, false}, parts "redis://r_1.example:7000/12")
    assert.same({"::1", 7000, 0, false, false}, parts "redis://[::1]:7000")
  end)

  it("K13: has user and password, percent-decoded", function()
    assert.same({"h", 6379, 0, "me", "canary"}, parts "redis://me:canary@h")
    assert.same({"h", 6379, 0, false, "canary:@/% "}, parts "redis://:canary%3A%40%2f%25%20@h")
    assert.same({"h", 6379, 1, "a:b", "c@d"}, parts "redis://a%3ab:c@d@h/1")
  end)

  it("is a mistake that shows nothing of it when it cannot be read", function()
    local HOST = "url must have a host, and at most a port from 1 to 65535"
    local ESCAPE = "url: a percent sign begins an escape: write it as %25"
    local DATABASE = "url must end with the number of a database, if with anything"
    for url, wanted in pairs{
      ["redis://"] = HOST, ["redis:///1"] = HOST, ["redis://:canary@"] = HOST,
      ["redis://:canary/more@h"] = HOST, ["redis://h:"] = HOST, ["redis://h:0"] = HOST,
      ["redis://h:65536"] = HOST, ["redis://h:x"] = HOST, ["redis://::1"] = HOST,
      ["redis://:canary%@h"] = ESCAPE, ["redis://:canary%4@h"] = ESCAPE,
      ["redis://canary%zz:p@h"] = ESCAPE,
      ["redis://h/canary"] = DATABASE, ["redis://h/1?canary=1"] = DATABASE,
      ["redis://h/1/2"] = DATABASE, ["redis://h/12345"] = DATABASE, ["redis://h#1"] = DATABASE,
      ["redis://:canary @h"] = "url must have no blanks or control characters",
      ["http://canary@h"] = "url must begin with redis://",
      ["canary"] = "url must begin with redis://",
      ["rediss://:canary@h"] =
        "url: rediss:// needs a client that knows TLS: give it with 'connect'",
      ["redis://canary@h"] = "url has a user, but there is no password",
    } do
      assert.equal(wanted, complaint{url = url}, url)
    end
    assert.equal("url must be a string, not number", complaint{url = 1})
  end)
end)

describe("the options of a Redis store", function()
  it("are mistakes at the caller's line when they are wrong", function()
    local NAMES = "url, password, passwordFile, prefix, timeout and connect"
    assert.equal("a table is needed, not string", complaint "redis://h")
    assert.equal("unknown option 'host'; there are " .. NAMES, complaint{host = "h"})
    assert.equal("options must be named; there are " .. NAMES, complaint{"redis://h"})
    assert.equal("password must be a string, not number", complaint{password = 1})
    assert.equal("password must not be empty", complaint{password = ""})
    assert.equal("passwordFile cannot be read: No such file or directory",
      complaint{passwordFile = "/nowhere/at/all"})
    assert.equal("prefix must be a string, not number", complaint{prefix = 1})
    assert.equal("prefix must have no braces", complaint{prefix = "{tag}"})
    assert.equal("prefix must have no blanks or control characters", complaint{prefix = "a b"})
    assert.equal("prefix must have at most 100 bytes", complaint{prefix = ("a"):rep(101)})
    assert.equal("timeout must be a number, not string", complaint{timeout = "1"})
    for _, timeout in ipairs{0, -1, 0.001, 11, math.huge, 0 / 0} do
      assert.equal("timeout must be from 0.01 to 10 seconds", complaint{timeout = timeout})
    end
    assert.equal("connect must be a function, not table", complaint{connect = {}})
  end)

  it("exclude each other where both would say the same", function()
    local function connect() end
    for _, name in ipairs{"url", "password"} do
      assert.equal(("'connect' and '%s' exclude each other"):format(name),
        complaint{connect = connect, [name] = "redis://h"})
    end
    local path = os.tmpname()
    files.write(path, "canary-secret\n", "600")
    assert.equal("'password' and 'passwordFile' exclude each other",
      complaint{password = "canary", passwordFile = path})
    assert.equal("url has a password already",
      complaint{url = "redis://:canary@h", passwordFile = path})
    files.write(path, "canary-secret\n", "644")
    -- auth.secret.file has an option for such a file, which is no use here.
    assert.is_truthy(complaint{passwordFile = path}:find("^passwordFile is open to every user; "
      .. "[^,]*, Docker: mode 0400%)$"))
    os.remove(path)
  end)

  it("are not seen in a dump of the store", function()
    local store = auth.store.redis{url = "redis://me:canary@h"}
    for _, value in pairs(store) do assert.is_nil(tostring(value):find "canary") end
    assert.is_false(getmetatable(store))
    assert.is_nil(tostring(store):find "canary")
  end)

  it("need no library before the store is used", function()
    local command = [[%s -e 'require "corebank.auth".store.redis()
      for name in pairs(package.loaded) do
        assert(name ~= "redis" and not name:find "^socket", name)
      end print "none"']]
    assert.equal("none", files.lines_of(command:format(os.getenv "CBA_LUA"))[1])
  end)
end)
