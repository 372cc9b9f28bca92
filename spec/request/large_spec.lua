-- R2 to R5: large bodies in pieces, to and from functions and files, by the sandbox's API.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local lfs = require "lfs"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local STATEMENT = "/api/accounts/v1/accounts/1/statement"
local MIB = 1048576

local folder = files.new_folder()

local function names()
  local list = {}
  for name in lfs.dir(folder) do
    if name:sub(1, 1) ~= "." then list[#list + 1] = name end
  end
  table.sort(list)
  return table.concat(list, " ")
end

local function new_client(scenario, changes)
  local given = {baseUrl = scenario.baseUrl}
  for name, value in pairs(changes or {}) do given[name] = value end
  return auth.client(survive.options(given))
end

describe("a large answer #transfer", function()
  local scenario, client, path

  before_each(function()
    scenario = bank:scenario{}
    client = new_client(scenario)
    path = folder .. "/statement"
  end)
  after_each(function()
    client:close()
    os.remove(path)
    assert.equal("", names())
  end)

  it("goes into a function in pieces, in order", function()
    local size, pieces, last = 0, 0, nil
    local reply = assert(client:request{path = STATEMENT, query = {bytes = 5 * MIB},
      into = function(piece)
        size, pieces, last = size + #piece, pieces + 1, piece
      end})
    assert.same({200, true}, {reply.status, reply.ok})
    assert.is_nil(reply.body)
    assert.equal("reply 200, its body is where `into` said", tostring(reply))
    assert.equal(5 * MIB, size)
    assert.is_true(pieces > 1)
    assert.equal("line 0000004095\n", last:sub(-16))   -- the sandbox repeats 64 KiB
    local value, reason = reply:json()
    assert.is_nil(value)
    assert.is_string(reason)
  end)

  it("goes into a file, which gets its name when it is whole", function()
    local reply = assert(client:request{path = STATEMENT, query = {bytes = 3 * MIB, length = "no"},
      into = path})
    assert.equal(200, reply.status)
    assert.equal(3 * MIB, #files.content(path))
    assert.equal("statement", names())
  end)

  it("replaces a file of that name, and leaves it alone when there is none", function()
    files.write(path, "before")
    assert.equal(404, assert(client:request{path = STATEMENT, query = {status = 404},
      into = path}).status)
    assert.equal("before", files.content(path))
    local reply, _, problem = client:request{path = STATEMENT, query = {bytes = MIB, cut = 1000},
      into = path, attempts = 1}
    assert.is_nil(reply)
    assert.equal("network", problem.code)
    assert.equal("before", files.content(path))
    assert.equal(200, assert(client:request{path = STATEMENT, into = path}).status)
    assert.equal(4096, #files.content(path))
  end)

  it("may be compressed to a thousandth", function()
    local bytes = files.output_of "head -c 150M /dev/zero | gzip -9"
    local raw = sandbox.raw{connections = {{"read_request", {"send", ("HTTP/1.1 200 OK\r\n"
      .. "Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"):format(#bytes) .. bytes}}}}
    local own, size = new_client({baseUrl = scenario.plainUrl}, {apiUrl = raw.url}), 0
    local reply, message = own:request{path = "/a", into = function(piece) size = size + #piece end}
    own:close()
    raw:stop()
    assert.equal(200, reply and reply.status or message)
    assert.equal(150 * MIB, size)
  end)

  it("R4: of another status is the reply's body, and not in the file", function()
    local taken = 0
    local reply = assert(client:request{path = STATEMENT, query = {status = 404},
      into = function() taken = taken + 1 end})
    assert.equal(404, reply.status)
    assert.is_truthy(reply.body:find("API-0404", 1, true))
    assert.equal(0, taken)
  end)

  it("R4: that broke off is a failure, and nothing starts again", function()
    for _, length in ipairs{"yes", "no"} do
      local taken, calls = 0, scenario:calls()
      local reply, _, problem = client:request{path = STATEMENT, attempts = 3,
        query = {bytes = MIB, cut = 100000, length = length},
        into = function(piece) taken = taken + #piece end}
      assert.is_nil(reply)
      assert.same({"network", "yes"}, {problem.code, problem.sent})
      assert.equal(100000, taken)
      assert.equal(1, scenario:calls() - calls)
    end
  end)

  it("that broke off is a failure without `into`, too", function()
    local reply, _, problem = client:request{path = STATEMENT, attempts = 1,
      query = {bytes = MIB, cut = 1000}}
    assert.is_nil(reply)
    assert.equal("network", problem.code)
  end)

  it("comes with the next token after a 401", function()
    assert(client:token())
    scenario:revoke()
    assert.equal(200, assert(client:request{path = STATEMENT, query = {bytes = MIB},
      into = path}).status)
    assert.equal(MIB, #files.content(path))
    assert.equal(2, scenario:posts())
  end)

  it("R5: may take longer than the timeout, as long as bytes move", function()
    local started, size = os.time(), 0
    local reply = assert(client:request{path = STATEMENT, query = {bytes = 2 * MIB}, timeout = 1,
      into = function(piece)
        size = size + #piece
        if os.time() - started < 3 then os.execute "sleep 0.1" end
      end})
    assert.equal(200, reply.status)
    assert.equal(2 * MIB, size)
  end)

  it("R5: that stands still ends with the timeout", function()
    scenario:api{{pause = 5}}
    local reply, message, problem = client:request{path = STATEMENT, query = {bytes = MIB},
      timeout = 0.5, into = path}
    assert.same({nil, "timeout", "yes"}, {reply, problem.code, problem.sent})
    assert.is_truthy(message:find "in 0.5 s; raise timeout$", message)
  end)

  it("whose function raises ends, and the error is the function's", function()
    local ok, fault = pcall(function()
      return (client:request{path = STATEMENT, query = {bytes = MIB},
        into = function() error("disk full", 0) end})
    end)
    assert.is_false(ok)
    assert.equal("disk full", fault)
    assert.equal(200, assert(client:request{path = STATEMENT}).status)
  end)

  it("needs no more memory than a window #slow", function()
    assert(client:request{path = STATEMENT, query = {bytes = MIB}, into = function() end})
    local before = survive.peak_memory()
    local size = 0
    assert(client:request{path = STATEMENT, query = {bytes = 256 * MIB},
      into = function(piece) size = size + #piece end})
    assert.equal(256 * MIB, size)
    assert.is_true(survive.peak_memory() - before < 16 * 1024, survive.peak_memory() - before)
  end)
end)

describe("an upload #transfer", function()
  local scenario, client, path

  before_each(function()
    scenario = bank:scenario{}
    client = new_client(scenario)
    path = folder .. "/upload"
    files.write(path, ("0123456789abcdef"):rep(65536))
  end)
  after_each(function()
    client:close()
    os.remove(path)
  end)

  local function pieces(count, piece)
    local left = count
    return function()
      if left > 0 then
        left = left - 1
        return piece
      end
    end
  end

  it("comes from a file, with its length", function()
    local reply = assert(client:request{path = "/api/echo", body = {file = path}})
    local seen = assert(reply:json())
    assert.same({MIB, tostring(MIB)}, {seen.bytes, seen.headers["content-length"]})
  end)

  it("comes from a function, in chunks", function()
    local reply = assert(client:request{path = "/api/echo", body = pieces(50, ("x"):rep(30000))})
    local seen = assert(reply:json())
    assert.same({1500000, "chunked"}, {seen.bytes, seen.headers["transfer-encoding"]})
    reply = assert(client:request{path = "/api/echo", body = function() end})
    assert.equal(0, assert(reply:json()).bytes)
  end)

  it("of an empty file is an empty body", function()
    files.write(path, "")
    local seen = assert(assert(client:request{path = "/api/echo", body = {file = path}}):json())
    assert.same({0, "0"}, {seen.bytes, seen.headers["content-length"]})
  end)

  it("R2: of a file is sent again after a 401, whole", function()
    assert(client:token())
    scenario:revoke()
    local reply = assert(client:request{path = "/api/echo", body = {file = path}})
    assert.equal(200, reply.status)
    assert.equal(MIB, assert(reply:json()).bytes)
  end)

  it("R2: of a function is sent once: the token is dropped, and the 401 is the reply", function()
    assert(client:token())
    scenario:revoke()
    local reply = assert(client:request{path = "/api/echo", body = pieces(3, "abc")})
    assert.equal(401, reply.status)
    assert.equal(1, scenario:calls())
    assert.equal(200, assert(client:request{path = "/api/echo"}).status)
    assert.equal(2, scenario:posts())
  end)

  it("R2: of a file that has changed meanwhile is not sent again", function()
    assert(client:token())
    scenario:revoke()
    scenario:api{{delay = 1.5}, {}}
    local changed = io.popen(("sleep 0.1; printf more >>%s"):format(files.quoted(path)))
    local reply = assert(client:request{path = "/api/echo", body = {file = path}})
    changed:close()
    assert.equal(401, reply.status)
    assert.equal(1, scenario:calls())
  end)

  it("R3: that is answered in the middle has that status, and its connection is not used again",
    function()
      files.output_of(("truncate -s 100M %s"):format(files.quoted(path)))
      assert(client:request{path = "/api/echo"})
      for _, case in ipairs{{early = 65536, status = 413}, {early = 65536, status = 503}} do
        local reply = assert(client:request{path = "/api/echo", query = case, method = "POST",
          body = {file = path}})
        assert.equal(case.status, reply.status)
        local seen = #scenario:journal()
        assert.equal(200, assert(client:request{path = "/api/echo"}).status)
        assert.equal(seen + 1, #scenario:journal())
      end
    end)

  it("R3: that is answered with 401 in the middle is sent again with the next token", function()
    assert(client:token())
    scenario:api{{early = 65536}, {}}
    local reply = assert(client:request{path = "/api/echo", body = {file = path}})
    assert.equal(200, reply.status)
    assert.equal(MIB, assert(reply:json()).bytes)
    assert.equal(2, scenario:posts())
  end)

  it("of a function that raises or returns something else ends with its error", function()
    for _, case in ipairs{
      {function() error("no more", 0) end, "no more"},
      {function() return nil, "cannot read" end, "cannot read"},
      {function() return 7 end, "body must return strings, and nil at its end, not number"},
    } do
      local ok, fault = pcall(function()
        return (client:request{path = "/api/echo", body = case[1]})
      end)
      assert.is_false(ok)
      assert.equal(case[2], fault)
    end
    assert.equal(200, assert(client:request{path = "/api/echo"}).status)
  end)

  it("leaves no file open", function()
    local before = files.count_entries "/proc/self/fd"
    for _ = 1, 5 do
      assert(client:request{path = "/api/echo", body = {file = path}})
      client:request{path = "/api/echo", query = {early = 10}, body = {file = path}}
    end
    assert.is_true(files.count_entries "/proc/self/fd" <= before + 2)
  end)
end)
