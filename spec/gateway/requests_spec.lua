-- bank:request inside nginx: in every phase that can wait, and without blocking the worker.

local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"
local socket = require "socket"

if not gateway.possible then return end

-- A client for each worker, as `kept`.
local KEPT = [[package.loaded.kept = require("corebank.auth").client$options]]

local LOCATIONS = [[
  location /rewrite { rewrite_by_lua_block { $send } }
  location /access { access_by_lua_block { $send } }
  location /content { content_by_lua_block { $send } }
  location /timer { content_by_lua_block {
    local result
    ngx.timer.at(0, function()
      result = require("kept"):request{path = "/api/accounts/v1/accounts/7"}
    end)
    while not result do ngx.sleep(0.01) end
    ngx.say(result.status, " ", result:json().accountId)
  } }
  location /peek { content_by_lua_block { ngx.say("quick") } }
  location /slow { content_by_lua_block {
    ngx.say(require("kept"):request{path = "/api/echo", query = {delay = 1}}.status)
  } }
  location /all { content_by_lua_block {
    local list = {}
    for i = 1, 40 do list[i] = {path = "/api/accounts/v1/accounts/" .. i} end
    local sum = 0
    for i, result in ipairs(require("kept"):requestAll(list, {parallel = 10})) do
      if result.reply:json().accountId == tostring(i) then sum = sum + 1 end
    end
    ngx.say(sum)
  } }
  location /large { content_by_lua_block {
    local size = 0
    local reply = require("kept"):request{path = "/api/accounts/v1/accounts/1/statement",
      query = {bytes = 20000000}, into = function(piece) size = size + #piece end}
    ngx.say(reply.status, " ", size)
  } }
  location /endless { lua_check_client_abort on; content_by_lua_block {
    require("kept"):request{path = "/api/accounts/v1/accounts/1/statement",
      query = {bytes = 100000000000}, into = ngx.var.arg_file}
  } }
  location /collect { content_by_lua_block { collectgarbage() collectgarbage() } }
  location /upload { content_by_lua_block {
    local left = 30
    local reply = assert(require("kept"):request{path = "/api/echo", body = function()
      left = left - 1
      return left >= 0 and ("x"):rep(50000) or nil
    end})
    ngx.say(reply.status, " ", reply:json().bytes)
  } }
  location /filter {
    return 200 "";
    header_filter_by_lua_block {
      local ok, message = pcall(function() return (require("kept"):request{path = "/a"}) end)
      ngx.header["X-Told"] = tostring(message)
    }
  }
]]
LOCATIONS = LOCATIONS:gsub("%$send", [[
  local reply = require("kept"):request{path = "/api/accounts/v1/accounts/7"}
  ngx.say(reply.status, " ", reply:json().accountId)]])

describe("bank:request in nginx #nginx", function()
  local gate, scenario

  before_each(function()
    gate, scenario = gateway.at_bank({}, {workers = 1, no_setup = true, init_worker = KEPT,
      server = LOCATIONS})
  end)
  after_each(gateway.stop_all)

  local function get(path) return select(3, gate:get(path)) end

  it("waits in rewrite, access and content, and in timers", function()
    for _, phase in ipairs{"rewrite", "access", "content", "timer"} do
      assert.equal("200 7\n", get("/" .. phase))
    end
    assert.same({1, 4}, {scenario:posts(), scenario:calls()})
    assert.equal("", gate:log())
  end)

  it("replaces a revoked token once, whoever finds it rejected", function()
    get "/content"
    scenario:revoke()
    for _ = 1, 3 do assert.equal("200 7\n", get "/content") end
    assert.equal(2, scenario:posts())
  end)

  it("leaves the worker to others while it waits", function()
    get "/content"
    local slow = socket.tcp()
    slow:settimeout(10)
    assert(slow:connect("127.0.0.1", gate.port))
    slow:send "GET /slow HTTP/1.0\r\n\r\n"
    local began, quick = socket.gettime(), 0
    while socket.gettime() - began < 0.7 do
      assert.equal("quick\n", get "/peek")
      quick = quick + 1
    end
    assert.is_true(quick > 20, quick)
    assert.is_truthy(slow:receive "*a":find "\r\n\r\n200\n$")
    slow:close()
  end)

  it("sends many in parallel, and moves large bodies both ways", function()
    assert.equal("40\n", get "/all")
    assert.equal("200 20000000\n", get "/large")
    assert.equal("200 1500000\n", get "/upload")
    assert.equal(1, scenario:posts())
    assert.equal("", gate:log())
  end)

  it("leaves no incomplete file when the client has gone", function()
    local folder = files.new_folder()
    local client = assert(socket.connect("127.0.0.1", gate.port))
    client:send("GET /endless?file=" .. folder .. "/statement HTTP/1.0\r\n\r\n")
    sandbox.await("no file is begun", function() return files.count_entries(folder) == 3 end)
    client:close()
    sandbox.await("the file stays", function()
      get "/collect"
      return files.count_entries(folder) == 2
    end)
    assert(os.execute("rmdir " .. folder))
  end)

  it("raises where nothing can wait", function()
    local _, headers = gate:get "/filter"
    assert.is_truthy(headers["x-told"]:find("request: nothing can wait in header_filter_by_lua*", 1,
      true), headers["x-told"])
    assert.equal(0, scenario:posts() + scenario:calls())
  end)
end)
