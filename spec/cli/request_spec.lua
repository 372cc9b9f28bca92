-- corebank-auth request: what it sends, what it prints, and its exit status.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()
local user = command.user(setup, teardown)
local ACCOUNT = "/api/accounts/v1/accounts/1"
local TRANSFERS = "/api/payments/v1/transfers"
local STATEMENT = ACCOUNT .. "/statement"

describe("corebank-auth request #slow", function()
  local scenario

  before_each(function() scenario = bank:scenario{} end)

  local function words_of(path, ...)
    return command.trusting{"request", "--base-url", scenario.baseUrl, "--no-store", path, ...}
  end

  local function run(...)
    return user:run(words_of(...))
  end

  local function sent(...)
    local result = run(...)
    assert.equal(0, result.status, result.err)
    local journal = scenario:journal()
    return journal[#journal], result
  end

  describe("sends", function()
    it("a GET with the token, and prints the body and nothing else", function()
      local request, result = sent(ACCOUNT)
      assert.equal("GET", request.method)
      assert.is_truthy(request.token:find "^canary%-token%-")
      assert.is_truthy(result.out:find('^{"accountId":"1",.*}$'))
      assert.equal("", result.err)
    end)

    it("to a path without its slash, with a query", function()
      local request = sent("api/echo/a b", "--query", "q=1&2", "--query", "r=", "--query", "r=é=")
      assert.equal("/api/echo/a b", request.path)
      assert.same({q = "1&2", r = {"", "é="}}, request.query)
    end)

    it("R11: --json's text as strings and := as JSON, digit for digit", function()
      local request = sent("/api/echo", "--json", "account=007",
        "--json", "id=12345678901234567890",
        "--json", "amount:=19.90", "--json", "big:=12345678901234567890.12", "--json", "a\"b=c:=d",
        "--json", 'list:=[1, {"x":null}]', "--json", "empty=")
      assert.equal('{"account":"007","id":"12345678901234567890","amount":19.90,'
        .. '"big":12345678901234567890.12,"a\\"b":"c:=d","list":[1, {"x":null}],"empty":""}',
        request.body)
      assert.equal("POST", request.method)
      assert.equal("application/json", request.headers["content-type"])
    end)

    it("a body from the command line, a file or standard input", function()
      assert.equal('{"a":1}', sent("/api/echo", "--data", '{"a":1}').body)
      local path = user:write("body", ("x"):rep(100000))
      local request = sent("/api/echo", "-X", "PUT", "-d", "@" .. path, "-H", "Content-Type: a/b")
      assert.same({"PUT", 100000, "a/b"},
        {request.method, request.bytes, request.headers["content-type"]})
      local line = user:line(words_of("/api/echo", "--data", "-"))
      assert.equal(0, user:run(("head -c 200000 /dev/zero | %s"):format(line)).status)
      assert.equal(200000, scenario:journal()[3].bytes)
    end)

    it("headers, those of files too; --common-header goes to the bank, too", function()
      local path = user:write("headers", "X-Three: 3\n")
      local request = sent("/api/echo", "-H", "X-One: 1", "--header", "X-Two: a: b", "--header",
        "@" .. path, "--common-header", "X-Key: k")
      assert.same({"1", "a: b", "3"},
        {request.headers["x-one"], request.headers["x-two"], request.headers["x-three"]})
      assert.equal("k", request.headers["x-key"])
      local token = scenario:requests()[1]
      assert.same({{"k"}, nil}, {token.headers["x-key"], token.headers["x-one"]})
    end)

    it("the token of the store, and the next one when that is rejected", function()
      local store = user.home .. "/store"
      local words = command.trusting{"request", "--base-url", scenario.baseUrl, ACCOUNT,
        "--store-dir", store}
      for _ = 1, 2 do assert.equal(0, user:run(words).status) end
      assert.equal(1, scenario:posts())
      scenario:revoke()
      assert.equal(0, user:run(words).status)
      assert.same({2, 4}, {scenario:posts(), scenario:calls()})
    end)
  end)

  describe("R12: prints", function()
    it("the body of an error, and the status beside it", function()
      scenario:api{{status = 404, headers = {["X-Request-Id"] = "r-1"}}}
      local result = run(ACCOUNT)
      assert.equal(0, result.status)
      assert.is_truthy(result.out:find('"errorCode":"API-0404"', 1, true))
      assert.equal("corebank-auth: the API answers 404; for the bank this is request r-1\n",
        result.err)
    end)

    it("with --fail nothing on standard output; the exit status is that of the table", function()
      for status, exit in pairs{[400] = 7, [401] = 3, [403] = 3, [404] = 7, [429] = 6, [500] = 6,
        [503] = 6} do
        scenario:api{{status = status}}
        local result = run(ACCOUNT, "--fail", "--attempts", "1")
        assert.same({exit, ""}, {result.status, result.out}, status .. result.err)
        assert.is_truthy(result.err:find("the API answers " .. status, 1, true), result.err)
      end
      scenario:api{{status = 429, retryAfter = 60}}
      assert.is_truthy(run(ACCOUNT, "--fail").err:find("\ntry again in 60 s\n", 1, true))
      scenario:api{{}}
      assert.equal(0, run(ACCOUNT, "--fail").status)
    end)

    it("status and headers before the body with --include", function()
      local out = run(ACCOUNT, "--include").out
      assert.is_truthy(out:find '^HTTP 200\n')
      assert.is_truthy(out:find '\nContent%-Type: application/json\n')
      assert.is_truthy(out:find '\n\n{"accountId":"1",.*}$')
    end)

    it("a body of any size and any bytes into a pipe", function()
      local line = user:line(words_of(STATEMENT, "--query", "bytes=20000000"))
      assert.equal("20000000", files.lines_of(line .. " | wc -c")[1]:match "%d+")
      scenario:api{{body = "a\0\27[31m\255"}}
      assert.equal("a\0\27[31m\255", run(ACCOUNT).out)
    end)

    it("no control character on a terminal, and no binary body", function()
      local function shown(...)
        return command.on_terminal(user.home, user:line(words_of(...)) .. "; echo status $?", "")
      end
      scenario:api{{body = "a\27[31mb\tc\nd"}}
      assert.is_truthy(shown(ACCOUNT):find "a%?%[31mb%s+c\r?\nd\r?\nstatus 0")
      scenario:api{{body = "a\0b"}}
      local text = shown(ACCOUNT)
      assert.is_truthy(text:find("is binary", 1, true), text)
      assert.is_truthy(text:find "status 2", text)
    end)
  end)

  describe("--output", function()
    local path

    before_each(function() path = user.home .. "/answer"; os.remove(path) end)

    local function is_there()
      local file = io.open(path)
      if file then file:close() end
      return file ~= nil
    end

    it("writes the body into the file, and prints nothing", function()
      local result = run(STATEMENT, "--query", "bytes=3000000", "--output", path)
      assert.same({0, "", ""}, {result.status, result.out, result.err})
      assert.equal(3000000, #files.content(path))
    end)

    it("writes no file, and fails, when the status is not 2xx or the body is cut", function()
      scenario:api{{status = 404}}
      local result = run(STATEMENT, "-o", path)
      assert.same({7, ""}, {result.status, result.out})
      assert.is_truthy(result.err:find("the API answers 404", 1, true))
      scenario:api{{cut = 1000}}
      assert.equal(4, run(STATEMENT, "-o", path, "--attempts", "1").status)
      assert.is_false(is_there())
    end)

    it("may be a device, or standard output", function()
      local result = run(STATEMENT, "-o", "/dev/null")
      assert.same({0, ""}, {result.status, result.out}, result.err)
      assert.equal(4096, #run(STATEMENT, "-o", "-").out)
      assert.equal(2, run(STATEMENT, "-o", user.home).status)   -- a folder
    end)

    it("is a mistake when the file cannot be written", function()
      local result = run(STATEMENT, "-o", user.home .. "/no/folder")
      assert.same({2, ""}, {result.status, result.out}, result.err)
    end)
  end)

  it("shows on a terminal how much of a long body has arrived, and removes that", function()
    local path = user.home .. "/large"
    local words = words_of(STATEMENT, "--query", "bytes=655360", "--query", "pause=0.3", "-o", path)
    local shown = command.on_terminal(user.home, user:line(words) .. "; echo status $?", "")
    assert.is_truthy(shown:find "\r%[#+ +%] +%d%d %%  0%.%d of 0%.6 MiB\27%[K", shown)
    assert.is_truthy(shown:find("\r\27[Kstatus 0", 1, true), shown)
    assert.equal(655360, #files.content(path))
    local quiet = command.on_terminal(user.home, user:line(words_of(STATEMENT, "-o", path))
      .. "; echo status $?", "")
    assert.is_nil(quiet:find("MiB", 1, true), quiet)
  end)

  it("refuses what is wrong, with no value in the message", function()
    for message, words in pairs{
      ["missing argument 'PATH'"] = {},
      ["exclude each other"] = {ACCOUNT, "--json", "a=1", "--data", "b"},
      ["--json must look like"] = {ACCOUNT, "--json", "canary"},
      ["--json: the text after := is not JSON"] = {ACCOUNT, "--json", "no-word:=canary"},
      ["--json a: the text after := is not JSON"] = {ACCOUNT, "--json", "a:=canary"},
      ["--json a must be given once"] = {ACCOUNT, "--json", "a=1", "--json", "a=2"},
      ["--query must look like"] = {ACCOUNT, "--query", "canary"},
      ["Name: value"] = {ACCOUNT, "--header", "canary"},
      ["Authorization"] = {ACCOUNT, "--header", "Authorization: Bearer canary"},
      ["both be the standard input"] = {ACCOUNT, "--data", "-", "--secret-file", "-"},
      ["origin"] = {"https://elsewhere.example/api"},
      ["PATH must begin with one /, or be a whole URL"] = {"//elsewhere.example/api"},
    } do
      table.insert(words, 1, "request")
      local err = user:fails(2, command.trusting(words))
      assert.is_truthy(err:find(message, 1, true), message .. ": " .. err)
    end
  end)

  it("ends with the status of a problem when there is no answer, or no token", function()
    assert.equal(3, user:run(words_of(ACCOUNT), {COREBANK_CLIENT_SECRET = "wrong"}).status)
    scenario:api{{close = true}}
    local result = run(TRANSFERS, "--json", "from=1", "--json", "to=2", "--json", "amount:=1")
    assert.equal(4, result.status)
    assert.is_truthy(result.err:find("may have been", 1, true), result.err)
    assert.equal(1, scenario:transfers().received)
    scenario:api{{pause = 5}}
    result = run(STATEMENT, "--query", "bytes=131072", "--timeout", "0.5")
    assert.equal(4, result.status)
    assert.is_truthy(result.err:find("raise --timeout", 1, true), result.err)
  end)

  it("names --output when a body is too large for memory", function()
    local result = run(STATEMENT, "--query", "bytes=8388609", "--include")
    assert.same({7, ""}, {result.status, result.out})
    assert.is_truthy(result.err:find("is larger than 8388608 bytes; use --output FILE, or a pipe "
      .. "without --include", 1, true), result.err)
    assert.is_nil(result.err:find("--path", 1, true), result.err)
  end)

  it("makes one transfer with an Idempotency-Key, whatever happens on the way", function()
    scenario:api{{close = true}, {status = 503}, {}}
    local result = run(TRANSFERS, "-H", "Idempotency-Key: k", "--json", "from=1", "--json", "to=2",
      "--json", "amount:=19.90")
    assert.equal(0, result.status, result.err)
    assert.equal("19.90", result.out:match '"amount":([%d.]+)')
    assert.equal(1, scenario:transfers().done)
    assert.is_nil(auth.json.decode(result.out).errorCode)
  end)
end)
