--- Bodies of requests that are given in pieces.

local api_calls = require "spec.support.api_calls"
local core = require "corebank.auth.core"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local PIECE = ("sixteen letters."):rep(4096)

-- What is called after each step: gives the rest of `text`, then ends the upload.
local function giving(text)
  local offset, hasEnded = 0, false
  return function(transfer)
    while offset < #text and not hasEnded do
      local count = transfer:give(text:sub(offset + 1, offset + #PIECE))
      offset = offset + count
      if count == 0 then return end
    end
    if not hasEnded then
      hasEnded = true
      transfer:give(nil)
    end
  end
end

-- Gives bytes without end until the transfer is done; how many were taken.
local function flood(transfer)
  local count = 0
  local result, body = api_calls.finish(transfer, function()
    local taken
    repeat
      if transfer:is_done() then return end
      taken = transfer:give(PIECE)
      count = count + taken
    until taken == 0
  end)
  return count, result, body
end

describe("an upload #transfer", function()
  local calls

  before_each(function() calls = api_calls.new() end)

  after_each(function() calls:close() end)

  it("arrives whole, with its size or without", function()
    for _, method in ipairs{"POST", "PUT", "PATCH", "DELETE"} do
      for _, size in ipairs{0, 1, 300000} do
        for _, isKnown in ipairs{true, false} do
          local text = PIECE:rep(5):sub(1, size)
          local result = api_calls.finish(calls:start{path = "/echo", method = method,
            upload = true, size = isKnown and size or nil, maxBytes = 1e7}, giving(text))
          assert.equal(200, result.status)
          local arrived = calls:last()
          assert.equal(method, arrived.method)
          assert.equal(size, arrived.bytes)
          assert.is_true(arrived.body == text:sub(1, 65536))
          assert.equal(isKnown and tostring(size) or nil, arrived.headers["content-length"])
          assert.equal(not isKnown and "chunked" or nil, arrived.headers["transfer-encoding"])
          assert.is_nil(arrived.headers.expect)
          assert.is_nil(arrived.headers["content-type"])
        end
      end
    end
  end)

  it("takes no more than its window at once, and waits for what is missing", function()
    local transfer = calls:start{path = "/echo", method = "PUT", upload = true, maxBytes = 1e7}
    local large = PIECE:rep(10)
    local taken = transfer:give(large)
    assert.is_true(taken > 0 and taken < #large, taken)
    assert.equal(0, transfer:give "x")
    for _ = 1, 20 do transfer:wait(0.01) end
    assert.equal(100, transfer:give(large:sub(1, 100)))
    transfer:give(nil)
    assert.equal(200, api_calls.finish(transfer).status)
    assert.equal(taken + 100, calls:last().bytes)
  end)

  -- The rest of a body that was answered early would be taken for the next request.
  it("has a connection that no other request uses", function()
    for _ = 1, 2 do
      api_calls.finish(calls:start{path = "/echo", method = "PUT", upload = true}, giving "abc")
    end
    local journal = calls.scenario:journal()
    assert.are_not.equal(journal[1].connection, journal[2].connection)
  end)

  it("that ends before its size is a failure", function()
    local transfer = calls:start{path = "/echo", method = "PUT", upload = true, size = 10}
    transfer:give "half"
    transfer:give(nil)
    local result = api_calls.finish(transfer)
    assert.equal("network", result.failure)
    assert.equal(0, calls.scenario:calls())
  end)

  it("cannot be longer than its size, be given twice, or be none", function()
    local transfer = calls:start{path = "/echo", method = "PUT", upload = true, size = 4}
    assert.is_false((pcall(transfer.give, transfer, "five!")))
    assert.equal(4, transfer:give "four")
    transfer:give(nil)
    assert.is_false((pcall(transfer.give, transfer, "")))
    assert.equal(200, api_calls.finish(transfer).status)
    transfer = calls:start{path = "/echo"}
    assert.is_false((pcall(transfer.give, transfer, "x")))
    transfer:close()
    for _, size in ipairs{-2, 2^53, 0 / 0, "many"} do
      assert.is_false((pcall(calls.start, calls, {path = "/echo", upload = true, size = size})))
    end
  end)

  it("may be closed at any moment", function()
    for steps = 0, 4 do
      local transfer = calls:start{path = "/echo", method = "PUT", upload = true, size = 1000000}
      for _ = 1, steps do
        transfer:give(PIECE)
        transfer:wait(0.01)
      end
      transfer:close()
    end
    assert.equal(200, calls:perform{path = "/echo"}.status)
  end)

  -- The server reads 64 KiB, answers, and closes.
  it("that is answered early is over: the status counts, and sending stops", function()
    for _, status in ipairs{401, 413, 503} do
      local path = ("/echo?early=65536&status=%d"):format(status)
      local given, result, body = flood(calls:start{path = path, method = "PUT",
        upload = true, size = 100000000})
      assert.equal(status, result.status)
      assert.equal("yes", result.sent)
      assert.is_truthy(body:find "errorMessage")
      assert.is_true(given < 50000000, given)
      assert.equal(200, calls:perform{path = "/echo"}.status)
    end
    local journal = calls.scenario:journal()
    for i = 2, #journal, 2 do
      assert.are_not.equal(journal[i - 1].connection, journal[i].connection)
    end
  end)

  it("may have an answer that is streamed", function()
    local text, pieces = PIECE:rep(8), {}
    local give = giving(text)
    local transfer = calls:start{path = "/echo", method = "PUT", upload = true, stream = true}
    local function both()
      give(transfer)
      local piece = transfer:take()
      while piece do
        pieces[#pieces + 1] = piece
        piece = transfer:take()
      end
    end
    assert.equal(200, api_calls.finish(transfer, both).status)
    assert.is_truthy(table.concat(pieces):find(('"bytes":%d'):format(#text), 1, true))
  end)
end)

describe("the time limits of an upload #transfer", function()
  local ANSWER = sandbox.answer "{}"
  local raw, endpoint

  before_each(function() endpoint = api_calls.endpoint() end)

  after_each(function()
    endpoint:close()
    raw:stop()
  end)

  local function start(actions, size, seconds, idle)
    raw = sandbox.raw{connections = {actions}}
    return core.transfer(endpoint, {url = raw.url, method = "PUT", upload = true, size = size,
      idle = idle}, seconds)
  end

  it("with idle end one that nobody reads", function()
    local _, result = flood(start({{"read", 10}, "silence"}, 100000000, survive.seconds(60), 0.3))
    assert.equal("timeout", result.failure)
    assert.equal("idle", result.limit)
    assert.equal("maybe", result.sent)
  end)

  it("with idle do not count while nothing is given, nor the time of the whole", function()
    local transfer = start({"read_request", {"send", ANSWER}}, 4, survive.seconds(0.4),
      survive.seconds(0.2))
    local since, given = core.boot(), 0
    while given < 4 do
      assert.is_false(transfer:wait(0.05))
      if core.boot() - since > survive.seconds(0.3) then
        given, since = given + transfer:give "x", core.boot()
      end
    end
    transfer:give(nil)
    assert.equal(200, api_calls.finish(transfer).status)
  end)

  it("with idle are `seconds` from the last byte to the answer", function()
    for _, size in ipairs{4, false} do
      local transfer = start({{"read", 10}, "silence"}, size or nil, 0.4, 60)
      transfer:give "four"
      transfer:give(nil)
      local result = api_calls.finish(transfer)
      assert.equal("timeout", result.failure)
      assert.is_nil(result.limit)
      raw:stop()
    end
  end)

  it("without idle are one for the whole", function()
    local transfer = start({{"read", 10}, "silence"}, 4, 0.3)
    local result = api_calls.finish(transfer)
    assert.equal("timeout", result.failure)
    assert.is_nil(result.limit)
  end)
end)
