-- auth.client and auth.authenticate inside nginx: where they work, what they say where they cannot.

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"
local socket = require "socket"

if not gateway.possible then return end

-- A client for each worker, as `kept`; `told` runs something and keeps what it gave or raised.
local KEPT = [[
  package.loaded.kept = require("corebank.auth").client$options
  package.loaded.told = function(action)
    local ok, result, message = pcall(action)
    if not ok then return "raised " .. tostring(result) end
    return tostring(result or message)
  end
]]

describe("a client in nginx #nginx", function()
  local gate, scenario

  local function start(steps, given)
    given.workers = given.workers or 1
    given.no_setup = true
    given.init_worker = given.init_worker or KEPT
    gate, scenario = gateway.at_bank(steps, given)
  end

  after_each(gateway.stop_all)

  it("waits in rewrite, access and content, and in timers", function()
    start({}, {server = [[
      location /rewrite { rewrite_by_lua_block { ngx.say(require("told")(function()
        return require("kept"):token() end)) } }
      location /access { access_by_lua_block { ngx.say(require("told")(function()
        return require("kept"):token() end)) } }
      location /content { content_by_lua_block { ngx.say(require("told")(function()
        return require("kept"):token() end)) } }
      location /timer { content_by_lua_block {
        local result
        ngx.timer.at(0, function()
          result = require("told")(function() return require("kept"):token() end)
        end)
        while not result do ngx.sleep(0.01) end
        ngx.say(result)
      } }
      location /forget { content_by_lua_block {
        local kept = require "kept"
        ngx.say(tostring(kept:invalidate(kept:peek())))
      } }]]})
    for _, phase in ipairs{"rewrite", "access", "content", "timer"} do
      local _, _, body = gate:get("/" .. phase)
      assert.is_truthy(body:find("^Bearer token, %d+ s left\n"), phase .. ": " .. body)
    end
    assert.equal(1, scenario:posts())
    assert.equal("", gate:log())
  end)

  it("raises where nothing can wait, and names peek(), which works there", function()
    start({{delay = 0.1}}, {server = [[
      location /filter {
        return 200 "";
        header_filter_by_lua_block {
          local told, kept = require "told", require "kept"
          ngx.header["X-Peek"] = tostring((kept:peek()))
          ngx.header["X-Token"] = told(function() return kept:token() end)
        }
      }
      location /peek { content_by_lua_block { ngx.say(tostring((require("kept"):peek()))) } }
      location /set {
        set_by_lua_block $token { return require("told")(function()
          return require("kept"):token() end) }
        return 200 $token;
      }]], init_worker = KEPT .. [[
        package.loaded.early = require("told")(function() return require("kept"):token() end)]]})
    local _, headers = gate:get("/filter")
    assert.equal("nil", headers["x-peek"])
    assert.equal("raised nothing can wait in header_filter_by_lua*: use peek() there, "
      .. "which returns a token without waiting", headers["x-token"])
    local _, _, body = gate:get("/set")
    assert.is_truthy(body:find("set_by_lua*: use peek()", 1, true), body)
    -- What they began goes on without them.
    sandbox.await("no token", function()
      return select(3, gate:get("/peek")):find "^Bearer token"
    end)
    _, headers = gate:get("/filter")
    assert.is_truthy(headers["x-peek"]:find "^Bearer token")
    assert.is_truthy(headers["x-token"]:find "^Bearer token")
    assert.equal(1, scenario:posts())
  end)

  it("tells init_worker, too, that nothing can wait there", function()
    -- On a busy machine an answer that comes at once is there before anybody has to wait.
    start({{delay = 0.5}}, {init_worker = KEPT .. [[
        package.loaded.early = require("told")(function() return require("kept"):token() end)]],
      server = [[location /early { content_by_lua_block { ngx.say(require "early") } }]]})
    local _, _, body = gate:get("/early")
    assert.is_truthy(body:find("init_worker_by_lua*: use peek()", 1, true), body)
  end)

  it("is not made in a master, where loading the modules makes nothing", function()
    start({}, {init_worker = "", http = [[init_by_lua_block {
        local auth, gateway = require "corebank.auth", require "corebank.auth.nginx"
        local function told(action)
          return tostring(select(2, pcall(action)))
        end
        package.loaded.client = told(function() return (auth.client$options) end)
        package.loaded.once = told(function() return (auth.authenticate$options) end)
        package.loaded.setup = told(function() gateway.setup$options end)
      }]], server = [[location / { content_by_lua_block {
        ngx.say(require "client")
        ngx.say(require "once")
        ngx.say(require "setup")
      } }]]})
    local _, _, body = gate:get("/")
    local list = {}
    for line in body:gmatch "[^\n]+" do list[#list + 1] = line end
    for i, name in ipairs{"client", "authenticate", "setup"} do
      assert.is_truthy(list[i]:find("init_by_lua%b():%d+: " .. name
        .. ": there is no worker yet in init_by_lua%*.*use init_worker_by_lua%*$"), list[i])
    end
  end)

  it("authenticate() lets the worker serve others meanwhile", function()
    start({{delay = 1}}, {server = [[location /once { content_by_lua_block {
        ngx.say(tostring((require("corebank.auth").authenticate$options)))
      } }]]})
    local slow = assert(socket.connect("127.0.0.1", gate.port))
    slow:settimeout(5)
    slow:send("GET /once HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
    socket.sleep(0.1)
    local began = socket.gettime()
    for _ = 1, 100 do assert.equal(200, (gate:get("/plain/"))) end
    assert.is_true(socket.gettime() - began < 0.8)
    assert.is_truthy(slow:receive("*a"):find "Bearer token")
    slow:close()
  end)

  it("authenticate() sends nothing where nothing can wait", function()
    start({}, {server = [[
      location /filter {
        return 200 "";
        header_filter_by_lua_block {
          ngx.header["X-Told"] = require("told")(function()
            return (require("corebank.auth").authenticate$options)
          end)
        }
      }]]})
    local _, headers = gate:get("/filter")
    assert.is_truthy(headers["x-told"]:find("authenticate: nothing can wait in header_filter", 1,
      true), headers["x-told"])
    socket.sleep(0.1)
    assert.equal(0, scenario:posts())
    assert.equal("", gate:log())
  end)

  it("authenticateAll() does, too, while it waits for all at the same time", function()
    start({{delay = 0.5}}, {server = [[
      location /all { content_by_lua_block {
        local list = {}
        for i = 1, 20 do list[i] = $options end
        for i = 21, 30 do list[i] = require("corebank.auth").client$options end
        local got = 0
        for _, result in ipairs(require("corebank.auth").authenticateAll(list)) do
          if result.token then got = got + 1 end
        end
        ngx.say(got)
      } }
      location /filter {
        return 200 "";
        header_filter_by_lua_block {
          ngx.header["X-Told"] = require("told")(function()
            return require("corebank.auth").authenticateAll{$options}
          end)
        }
      }]]})
    local slow = assert(socket.connect("127.0.0.1", gate.port))
    slow:settimeout(5)
    local began = socket.gettime()
    slow:send("GET /all HTTP/1.0\r\nHost: gateway\r\n\r\n")
    socket.sleep(0.1)
    local served = 0
    while not socket.select({slow}, nil, 0)[1] do
      local asked = socket.gettime()
      assert.equal(200, (gate:get("/plain/")))
      assert.is_true(socket.gettime() - asked < 0.25)
      served = served + 1
    end
    assert.is_true(socket.gettime() - began < 1.5)
    local answer = slow:receive("*a")
    assert.is_truthy(answer:find "\r\n30\n$", answer .. gate:log())
    assert.is_true(served > 20, served)
    slow:close()
    assert.equal(30, scenario:posts())
    local _, headers = gate:get("/filter")
    assert.is_truthy(headers["x-told"]:find("authenticateAll: nothing can wait", 1, true))
    assert.equal(30, scenario:posts())
    assert.equal("", gate:log())
  end)

  it("a libcurl that looks names up in line is refused", function()
    start({}, {init_worker = [[
        local core = require "corebank.auth.core"
        local real = core.resolves_aside
        core.resolves_aside = function() return false end
        local _, fault = pcall(function() return (require("corebank.auth").client$options) end)
        package.loaded.fault = fault
        core.resolves_aside = real]],
      server = [[location / { content_by_lua_block { ngx.say(require "fault") } }]]})
    local _, _, body = gate:get("/")
    assert.is_truthy(body:find("client: this libcurl has no asynchronous resolver", 1, true), body)
  end)

  -- With this limit, and this timer in its way, no driver runs.
  local function check_waiters_drive(limit, timer)
    start({{delay = 0.3}}, {
      http = limit,
      init_worker = KEPT .. timer,
      server = [[location /content { content_by_lua_block { ngx.say(require("told")(function()
        return require("kept"):token() end)) } }]]})
    assert.same({[200] = 50}, gate:at_once(50, "/content"))
    local _, _, body = gate:get("/content")
    assert.is_truthy(body:find "^Bearer token", body)
    assert.equal(1, scenario:posts())
  end

  it("no timer to be had: who waits drives, and nothing is lost", function()
    check_waiters_drive("lua_max_pending_timers 1;", "assert(ngx.timer.at(3600, function() end))")
  end)

  it("a timer that is never run: who waits drives, and nothing is lost", function()
    check_waiters_drive("lua_max_running_timers 1;",
      "assert(ngx.timer.at(0, function() ngx.sleep(8) end))")
  end)

  it("outlives a handler of events that raises what is no text", function()
    start({{delay = 0.2}}, {init_worker = KEPT .. [[
        local options = $options
        function options.onEvent(event) if event.name == "fetched" then error{} end end
        package.loaded.raising = require("corebank.auth").client(options)]],
      server = [[
        location /both { content_by_lua_block {
          local told, asked = require "told", {}
          for i, name in ipairs{"raising", "kept"} do
            asked[i] = ngx.thread.spawn(told, function() return require(name):token() end)
          end
          for i = 1, 2 do ngx.say((select(2, ngx.thread.wait(asked[i])))) end
        } }]]})
    local _, _, body = gate:get("/both")
    assert.is_truthy(body:find "^Bearer token[^\n]+\nBearer token[^\n]+\n$", body)
    assert.is_truthy(gate:log():find("a fetch ended with an error: table: 0x", 1, true), gate:log())
  end)

  it("lets a handler of events log when the request that began it all is gone", function()
    start({}, {init_worker = [[
        local options = $options
        options.store = require("corebank.auth").store.shdict "corebank"
        function options.onEvent(event)
          ngx.log(ngx.WARN, "heard: ", event.name, " in ", ngx.get_phase())
        end
        package.loaded.kept = require("corebank.auth").client(options)]],
      server = [[
        lua_check_client_abort on;
        location /content { content_by_lua_block { ngx.say(tostring(require("kept"):token())) } }
        location /hold { content_by_lua_block {
          local kept, dict = require "kept", ngx.shared.corebank
          local name = dict:get_keys()[1]:match "entry:(%x+)"
          kept:invalidate(kept:peek())
          dict:set("lease:" .. name, "somebody else", 1)
          ngx.print(name)
        } }
        location /garble { content_by_lua_block {
          ngx.shared.corebank:set("entry:" .. ngx.var.arg_name, "garbage")
        } }]]})
    assert.is_truthy(select(3, gate:get("/content")):find "^Bearer token")
    local _, _, name = gate:get("/hold")
    local gone = assert(socket.connect("127.0.0.1", gate.port))
    gone:send("GET /content HTTP/1.1\r\nHost: gateway\r\n\r\n")
    socket.sleep(0.1)
    gone:close()
    for _ = 1, 50 do gate:get("/plain/") end   -- others take the memory of the one that is gone
    gate:get("/garble?name=" .. name)
    sandbox.await("it is not told", function() return gate:log():find "heard: store_failed" end)
    assert.is_truthy(select(3, gate:get("/content")):find "^Bearer token")
    assert.equal(2, scenario:posts())
    assert.is_nil(gate:log():find("exited on signal"))
    assert.is_truthy(gate:log():find("heard: store_failed in timer"), gate:log())
  end)
end)
