--- Answers that are taken in pieces.

local api_calls = require "spec.support.api_calls"
local core = require "corebank.auth.core"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local WINDOW = 128 * 1024

local function statement(bytes, more)
  return ("/accounts/v1/accounts/1/statement?bytes=%d%s"):format(bytes, more or "")
end

-- All pieces, as one string or only their number of bytes; and the result.
local function drain(transfer, keep)
  local pieces, size = {}, 0
  local function take()
    local piece = transfer:take()
    while piece do
      size = size + #piece
      if keep then pieces[#pieces + 1] = piece end
      piece = transfer:take()
    end
  end
  local result, body = api_calls.finish(transfer, take)
  return keep and table.concat(pieces) or size, result, body
end

describe("a streamed answer #transfer", function()
  local calls

  before_each(function() calls = api_calls.new() end)

  after_each(function() calls:close() end)

  it("comes whole, whatever its size and however it is sent", function()
    local _, expected = calls:perform{path = statement(1000000), maxBytes = 1000000}
    for _, size in ipairs{0, 1, WINDOW - 1, WINDOW, WINDOW + 1, 1000000} do
      for _, more in ipairs{"", "&length=no", "&gzip=1"} do
        local whole, result, body = drain(calls:start{path = statement(size, more), stream = true,
          decode = true, maxBytes = 0}, true)
        assert.equal(200, result.status)
        assert.is_nil(result.cut)
        assert.equal("", body)
        assert.is_true(whole == expected:sub(1, size), size .. more)
      end
    end
  end)

  it("waits while nobody takes it, and its connection serves again", function()
    local transfer = calls:start{path = statement(4000000), stream = true}
    for _ = 1, 30 do
      if transfer:wait(0.01) then break end
    end
    assert.is_false(transfer:is_done())
    local first = transfer:take()
    assert.is_true(#first > WINDOW / 2 and #first <= WINDOW)
    assert.equal(4000000 - #first, (drain(transfer)))
    assert.equal(200, calls:perform{path = "/echo"}.status)
    local journal = calls.scenario:journal()
    assert.equal(survive.keepsConnections, journal[1].connection == journal[2].connection)
  end)

  it("is streamed only when its status is of success", function()
    local transfer = calls:start{path = "/echo?status=404", stream = true}
    local size, result, body = drain(transfer)
    assert.equal(0, size)
    assert.equal(404, result.status)
    assert.is_truthy(body:find("This answer was asked for", 1, true))
    result, body = select(2, drain(calls:start{path = "/echo?status=500", stream = true,
      maxBytes = 10}))
    assert.equal(500, result.status)
    assert.equal(10, #body)
    assert.is_true(result.cut)
  end)

  it("that breaks off is a failure", function()
    for _, more in ipairs{"&cut=70000", "&cut=70000&length=no"} do
      local size, result = drain(calls:start{path = statement(100000, more), stream = true})
      assert.equal("network", result.failure)
      assert.is_true(result.cut)
      assert.equal("yes", result.sent)
      assert.is_true(size <= 70000)
    end
  end)

  it("may be closed at any moment", function()
    for steps = 0, 6 do
      local transfer = calls:start{path = statement(4000000), stream = true}
      for step = 1, steps do
        transfer:wait(0.01)
        if step % 2 == 0 then transfer:take() end
      end
      transfer:close()
    end
    assert.equal(200, calls:perform{path = "/echo"}.status)
  end)

  local function memory()
    for line in io.lines "/proc/self/status" do
      local kilobytes = line:match "^VmRSS:%s*(%d+)"
      if kilobytes then return tonumber(kilobytes) end
    end
  end

  -- #slow: it is 1 GiB. AddressSanitizer keeps what is freed.
  local measure = os.getenv("CBA_BUILD"):find("asan") and pending or it
  measure("of 1 GiB takes at most 16 MiB of memory #slow", function()
    drain(calls:start{path = statement(1e7), stream = true})
    collectgarbage()
    local before, highest = memory(), 0
    local transfer = calls:start({path = statement(2^30), stream = true}, 300)
    local size = 0
    local result = api_calls.finish(transfer, function()
      local piece = transfer:take()
      while piece do
        size = size + #piece
        piece = transfer:take()
      end
      highest = math.max(highest, memory())
    end)
    assert.equal(200, result.status)
    assert.equal(2^30, size)
    assert.is_true(highest - before <= 16 * 1024, highest - before)
  end)
end)

describe("the time limits of a streamed answer #transfer", function()
  local HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
  local raw, endpoint

  before_each(function() endpoint = api_calls.endpoint() end)

  after_each(function()
    endpoint:close()
    raw:stop()
  end)

  local function start(actions, seconds, idle)
    raw = sandbox.raw{connections = {actions}}
    return core.transfer(endpoint, {url = raw.url, stream = true, idle = idle}, seconds)
  end

  it("without idle are one for the whole", function()
    local _, result = drain(start({"read_request", {"send", HEAD},
      {"send", "x", every = 0.05, forever = true}}, 0.4))
    assert.equal("timeout", result.failure)
    assert.is_nil(result.limit)
  end)

  it("with idle are that between bytes, however long the whole takes", function()
    local body = ("x"):rep(30)
    local size, result = drain(start({"read_request",
      {"send", "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n"}, {"send", body, every = 0.03}},
      survive.seconds(0.5), survive.seconds(0.4)))
    assert.equal(200, result.status)
    assert.equal(30, size)
  end)

  it("with idle end an answer that stands still", function()
    local size, result = drain(start({"read_request", {"send", HEAD}, {"send", "half"}, "silence"},
      survive.seconds(5), 0.3))
    assert.equal("timeout", result.failure)
    assert.equal("idle", result.limit)
    assert.equal(4, size)
  end)

  it("with idle are `seconds` until the first byte of the answer", function()
    local _, result = drain(start({"read_request", "silence"}, 0.3, 60))
    assert.equal("timeout", result.failure)
    assert.is_nil(result.limit)
  end)

  it("with idle do not count while nobody takes bytes", function()
    local transfer = start({"read_request", {"send", HEAD},
      {"send", ("x"):rep(1000000)}}, survive.seconds(5), survive.seconds(0.2))
    local since = core.boot()
    while core.boot() - since < survive.seconds(0.6) do
      assert.is_false(transfer:wait(0.05))
    end
    local size, result = drain(transfer)
    assert.equal(200, result.status)
    assert.equal(1000000, size)
  end)
end)
