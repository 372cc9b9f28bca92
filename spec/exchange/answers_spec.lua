-- FIELD S3, S4, S5, S27: which answer counts as what, whatever its body is like. Each is counted in
-- POSTs, for banks lock accounts.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local user = command.user(before_each, after_each)

local J = '{"accessToken":"canary-token-j","tokenType":"Bearer","tokenValiditySec":3600}'
local REFUSAL = '{"errorCode":"AUTH_001","errorMessage":"invalid client secret"}'

-- One call with two attempts against a bank that plays the step for ever.
local function answered(step, case)
  local scenario = bank:scenario{step}
  case.options = case.options or {attempts = 2}
  case.options.baseUrl = scenario.baseUrl
  case.count = function() return scenario:posts() end
  return survive.case(case)
end

-- The same against a server that plays these actions.
local function raw_answered(actions, case)
  local raw = sandbox.raw{connections = {actions}}
  case.options = case.options or {attempts = 2}
  case.options.baseUrl = raw.url
  case.count = function() return raw:posts() end
  local result = survive.case(case)
  raw:stop()
  return result
end

local function packed(program, text)
  local pipe = io.popen("printf %s " .. files.quoted(text) .. " | " .. program)
  local bytes = pipe:read "*a"
  pipe:close()
  assert(#bytes > 0, program)
  return bytes
end

-- Bodies of a 200 that are an answer, though no token: what is said of each.
local REFUSALS = {
  [REFUSAL] = "has no accessToken",
  ["{}"] = "has no accessToken",
  ['{"error":"invalid_client"}'] = "has no accessToken",
  ['{"access_token":"canary-token-x","expires_in":3600}'] = "has no accessToken",
  ['{"accessToken":null,"tokenValiditySec":3600}'] = "has no accessToken",
  ['{"accessToken":"","tokenValiditySec":3600}'] = "has no usable accessToken",
  ['{"accessToken":"canary-token \\u00e9","tokenValiditySec":3600}'] = "has no usable accessToken",
  ['{"accessToken":["canary-token"],"tokenValiditySec":3600}'] = "has no usable accessToken",
  ['{"accessToken":"canary-token-x","tokenType":"Mac","tokenValiditySec":3600}'] =
    "has a tokenType other than Bearer",
  ['{"accessToken":"canary-token-x","tokenType":"Bearer"}'] =
    "has neither expirationTime nor tokenValiditySec",
  ['{"accessToken":"canary-token-x","accessToken":"canary-token-y","tokenValiditySec":9}'] =
    "has a field twice",
}

describe("S3: a 200 that is a JSON object without a token #transfer", function()
  for body, said in pairs(REFUSALS) do
    it("is an answer, asked for once: " .. body:gsub("canary", "c"), function()
      local problem = answered({body = body}, {code = "response", posts = 1, message = said})
      assert.is_false(problem.retryable)
      assert.equal(200, problem.status)
      assert.is_truthy(problem.message:find("problem:body()", 1, true))
      assert.is_nil(problem.message:find("check baseUrl", 1, true))
    end)
  end

  it("shows the bank's own words in body(), and nowhere else", function()
    local problem = answered({body = REFUSAL}, {code = "response", posts = 1})
    assert.equal(REFUSAL, problem:body())
    assert.is_nil(problem.message:find("AUTH_001", 1, true))
  end)

  for _, body in ipairs{"", "[]", '"AUTH_001"', "null", "42", "<html>", '{"accessToken":',
    "[" .. J .. "]"} do
    it("is none, and is asked for again, when it is no JSON object: " .. body:sub(1, 20), function()
      local problem = answered({body = body}, {code = "response", posts = 2,
        message = "check baseUrl and path"})
      assert.is_true(problem.retryable)
    end)
  end

  it("latches a client as a denial does", function()
    local scenario = bank:scenario{{body = REFUSAL}}
    local events = {}
    local client = auth.client(survive.options{baseUrl = scenario.baseUrl, attempts = 2,
      onEvent = function(event)
        if event.name ~= "waited" then events[#events + 1] = event.name .. " " .. event.code end
      end})
    local _, _, first = client:token()
    assert.is_nil(first.remembered)
    for _ = 1, 3 do
      local _, message, problem = client:token()
      assert.is_true(problem.remembered)
      assert.equal(first.message, message)
      assert.is_true(problem.retryAfter > 0 and problem.retryAfter <= 5)
      assert.equal(REFUSAL, problem:body())
    end
    assert.equal(1, scenario:posts())
    assert.same({"failed response"}, events)
    client:close()
  end)

  it("does not latch for what is no JSON object", function()
    local scenario = bank:scenario{{body = "<html>"}}
    local client = auth.client(survive.options{baseUrl = scenario.baseUrl})
    client:token()
    assert.is_nil(client:explain().latchedFor)
    client:close()
  end)

  it("is not asked for again by the runs of the command, which share a store #slow", function()
    local scenario = bank:scenario{{body = REFUSAL}}
    for i = 1, 2 do   -- the latch is closed for 5 s, and a run may take seconds under a sanitizer
      local ran = user:run(command.trusting{"token"}, {COREBANK_BASE_URL = scenario.baseUrl})
      assert.equal(7, ran.status)
      assert.equal("", ran.out)
      assert.is_truthy(ran.err:find("has no accessToken", 1, true), ran.err)
      assert.equal(i > 1, ran.err:find("remembered, nothing was sent", 1, true) ~= nil, ran.err)
      survive.no_canary(ran.err)
    end
    assert.equal(1, scenario:posts())
  end)

  it("ends with a secret file that is changed: that one is tried, once", function()
    local path = os.tmpname()
    files.write(path, "canary-secret-old")
    assert(os.execute("chmod 600 " .. files.quoted(path)))
    local scenario = bank:scenario{{body = REFUSAL}, {body = J}}
    local client = auth.client(survive.options{baseUrl = scenario.baseUrl,
      clientSecret = auth.secret.file(path)})
    assert.is_nil((client:token()))
    assert.is_nil((client:token()))
    assert.equal(1, scenario:posts())
    files.write(path, "canary-secret-new")
    assert(client:token())
    assert.equal(2, scenario:posts())
    client:close()
    os.remove(path)
  end)
end)

-- Status, code and POSTs of a call with two attempts.
local STATUSES = {
  {400, "denied", 1}, {401, "denied", 1}, {403, "denied", 1}, {404, "status", 1},
  {429, "limited", 1}, {500, "server", 2}, {503, "server", 2}, {303, "status", 1},
}

describe("S4: the status decides #transfer", function()
  local page = ("<p>no, no</p>\n"):rep(4800)   -- some 66,000 bytes

  for _, row in ipairs(STATUSES) do
    local status, code, posts = row[1], row[2], row[3]
    it(("%d with a page of 66,000 bytes: %s"):format(status, code), function()
      local problem = answered({status = status, body = page}, {code = code, posts = posts})
      assert.equal(status, problem.status)
      assert.equal(page:sub(1, 4096), problem:body())
    end)

    it(("%d with a body without end: %s, memory flat"):format(status, code), function()
      local before = survive.peak_memory()
      local problem = answered({status = status, endless = true}, {code = code, posts = posts})
      assert.equal(4096, #problem:body())
      assert.is_true(survive.peak_memory() < before + 4096)   -- KiB
    end)

    local head = ("HTTP/1.1 %d X\r\n"):format(status)
    for how, bytes in pairs{
      ["breaks off"] = head .. "Content-Length: 500\r\n\r\nthe beginning",
      ["has no body at all, though it says so"] = head .. "Content-Length: 500\r\n\r\n",
      ["has a broken chunk"] =
        head .. "Transfer-Encoding: chunked\r\n\r\n5\r\nthe b\r\nnot-a-size\r\n",
      ["ends in the middle of a chunk"] = head .. "Transfer-Encoding: chunked\r\n\r\nff\r\nthe b",
    } do
      it(("%d whose body %s: %s"):format(status, how, code), function()
        local problem = raw_answered({"read_request", {"send", bytes}},
          {code = code, posts = posts})
        assert.equal(status, problem.status)
        assert.equal(how:find("no body") and "" or problem:body():match("^the b.*"), problem:body())
      end)
    end
  end

  for name, line in pairs{["no number for a length"] = "Content-Length: x",
    ["a length below zero"] = "Content-Length: -5", ["no colon"] = "what is this",
    ["a NUL"] = "X-A: a\0b"} do
    it("when a header has " .. name, function()
      local problem = raw_answered({"read_request",
        {"send", "HTTP/1.1 401 No\r\n" .. line .. "\r\n\r\nno"}}, {code = "denied", posts = 1})
      assert.equal(401, problem.status)
    end)
  end

  it("but a token reply whose trailer is malformed broke, and says nothing of certificates",
    function()
      local chunked = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nwhat is this\r\n\r\n"
      -- An earlier one does not look at trailers: the reply is whole, and has no token.
      raw_answered({"read_request", {"send", "HTTP/1.1 200 OK\r\n" .. chunked}},
        {code = survive.isLibcurl780 and "network" or "response", posts = 1})
      raw_answered({"read_request", {"send", "HTTP/1.1 401 No\r\n" .. chunked}},
        {code = "denied", posts = 1})
    end)

  it("when the body does not come to its end in time", function()
    local began = {"send", "HTTP/1.1 401 No\r\nContent-Length: 500\r\n\r\nthe beginning"}
    raw_answered({"read_request", began, "silence"},
      {code = "denied", posts = 1, options = {attempts = 2, timeout = survive.seconds(0.5)}})
  end)

  it("when it has headers without end", function()
    for _, filler in ipairs{"X-Filler: y\r\n", "X-Filler: " .. ("y"):rep(4000)} do
      raw_answered({"read_request", {"send", "HTTP/1.1 401 No\r\n"},
        {"send", filler, forever = true}}, {code = "denied", posts = 1})
    end
  end)

  it("of a redirect, too: it is followed whatever its page is like", function()
    local scenario = bank:scenario{{redirect = "/s/NAME/moved", body = page}, {body = J}}
    assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl}))
    assert.equal(2, scenario:posts())
  end)

  it("but not of a token reply that breaks off or is too large", function()
    raw_answered({"read_request", {"send", sandbox.answer():sub(1, -10)}},
      {code = "network", posts = 1})
    answered({body = J .. page}, {code = "too_large", posts = 1})
  end)

  it("and latches: no run of the command asks again", function()
    local scenario = bank:scenario{{status = 401, body = page}}
    for _ = 1, 2 do
      assert.equal(3, user:run(command.trusting{"token"},
        {COREBANK_BASE_URL = scenario.baseUrl}).status)
    end
    assert.equal(1, scenario:posts())
  end)

  it("and shows nothing of a secret that the cut goes through", function()
    local secret = bank.clientSecret
    local spelled = secret:gsub(".", function(c) return ("\\u%04x"):format(c:byte()) end)
    for _, text in ipairs{secret, spelled} do
      for _, shown in ipairs{1, 3, 7, 8, 13, #text - 1} do
        local filler = ("-"):rep(4096 - shown)
        local body = answered({status = 403, body = filler .. text .. ("-"):rep(9000)},
          {code = "denied", posts = 1}):body()
        assert.equal(filler .. ("*"):rep(shown), body)
      end
    end
    local half = secret:sub(1, 9)
    local problem = raw_answered({"read_request",
      {"send", "HTTP/1.1 401 No\r\nContent-Length: 500\r\n\r\nyou sent " .. half}},
      {code = "denied", posts = 1})
    assert.equal("you sent " .. ("*"):rep(9), problem:body())
  end)

  it("and keeps a body that is whole as it is, also where it ends as the secret begins", function()
    local body = "ends in " .. bank.clientSecret:sub(1, 3)
    assert.equal(body, answered({status = 403, body = body}, {code = "denied", posts = 1}):body())
  end)
end)

describe("S5: a reply that is compressed #transfer", function()
  local gzipped = packed("gzip -c", J)

  for _, coding in ipairs{"gzip", "x-gzip", "GZIP", "br", "deflate", "zstd", "compress", "gzip, br",
    "identity, gzip"} do
    it("by its Content-Encoding (" .. coding .. "): says so, is not repeated", function()
      local problem = answered({body = gzipped, headers = {["Content-Encoding"] = coding}},
        {code = "response", posts = 1, message = "is compressed"})
      assert.is_false(problem.retryable)
      assert.is_nil(problem:body())
      assert.is_nil(problem.message:find("NUL", 1, true))
    end)
  end

  -- As Python makes them; LZ4 and compress by what they begin with.
  local unlabelled = {lz4 = "\4\34\77\24" .. J, compress = "\31\157" .. J}
  for _, call in ipairs{"gzip.compress(data)", "zlib.compress(data, 1)", "zlib.compress(data, 3)",
    "zlib.compress(data)", "zlib.compress(data, 9)", "bz2.compress(data)", "lzma.compress(data)"} do
    unlabelled[call] = packed("python3 -c 'import bz2, gzip, lzma, sys, zlib; "
      .. "data = sys.stdin.buffer.read(); sys.stdout.buffer.write(" .. call .. ")'", J)
  end

  for how, bytes in pairs(unlabelled) do
    it("and does not say so (" .. how .. "): found by how it begins", function()
      local problem = answered({body = bytes},
        {code = "response", posts = 1, message = "is compressed"})
      assert.is_false(problem.retryable)
      assert.is_nil(problem:body())
    end)
  end

  it("in its transfer: likewise", function()
    local problem = raw_answered({"read_request",
      {"send", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"}, {"send", gzipped}},
      {code = survive.isLibcurl8 and "network" or "response", posts = 1,
        message = survive.isLibcurl8 and "broke" or "is compressed"})
    assert.is_nil(problem:body())
  end)

  it("latches as a refusal does", function()
    local scenario = bank:scenario{{body = gzipped, headers = {["Content-Encoding"] = "gzip"}}}
    local client = auth.client(survive.options{baseUrl = scenario.baseUrl})
    for _ = 1, 3 do assert.is_nil((client:token())) end
    assert.equal(1, scenario:posts())
    client:close()
  end)

  for _, row in ipairs(STATUSES) do
    it(("with a status of %d is what the status says; body() is nil"):format(row[1]), function()
      for _, headers in ipairs{{["Content-Encoding"] = "gzip"}, {}} do
        local problem = answered({status = row[1], body = packed("gzip -c", REFUSAL),
          headers = headers}, {code = row[2], posts = row[3]})
        assert.is_nil(problem:body())
      end
    end)
  end

  it("is none with identity, nor with what is no compression", function()
    for _, coding in ipairs{"identity", "Identity", "", "UTF-8", "none"} do
      answered({body = J, headers = {["Content-Encoding"] = coding}}, {posts = 1})
    end
  end)

  it("in another encoding of text shows no body either: nothing could be blanked in it", function()
    local wide = J:gsub(".", "%0\0")
    assert.is_nil(answered({status = 401, body = wide}, {code = "denied", posts = 1}):body())
    assert.is_nil(answered({body = wide}, {code = "response", posts = 2}):body())
  end)
end)

describe("S27: a token reply #transfer", function()
  for _, status in ipairs{200, 201, 202, 203, 206, 226} do
    it(("with status %d is taken"):format(status), function()
      assert.equal("canary-token-j",
        answered({status = status, body = J}, {posts = 1}).accessToken)
    end)
  end

  it("that is missing from a 2xx: response, with that status", function()
    for _, status in ipairs{201, 202, 204} do
      local problem = answered({status = status, body = ""},
        {code = "response", posts = 1, message = "status " .. status, options = {attempts = 1}})
      assert.equal(status, problem.status)
    end
    local problem = answered({status = 201, body = REFUSAL}, {code = "response", posts = 1})
    assert.is_false(problem.retryable)
    assert.equal(201, problem.status)
  end)

  it("that has expired on arrival: expired, with its status", function()
    local over = J:gsub("3600", "0")
    assert.equal(201, answered({status = 201, body = over}, {code = "expired", posts = 1}).status)
  end)

  it("that is compressed is refused with any 2xx", function()
    answered({status = 201, body = packed("gzip -c", J)},
      {code = "response", posts = 1, message = "is compressed"})
  end)

  it("with another status is none", function()
    answered({status = 404, body = J}, {code = "status", posts = 1})
    answered({status = 300, body = J}, {code = "status", posts = 1})
  end)
end)
