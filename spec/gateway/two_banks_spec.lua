-- Two banks whose tokens travel in one variable. A subrequest shares the variables of the request
-- that it is part of: no way of meeting there may give one bank's token to the other.

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

local bank = sandbox.bank()

-- Of bank NAME, whose scheme is "Of-NAME". `slow` waits between inject() and proxy_pass, `later`
-- injects in the access phase, `own` has a variable of its own.
local OF_EACH = [[
  location /NAME/ { SET INJECT PASS }
  location /NAME/slow/ { SET INJECT access_by_lua_block { ngx.sleep(0.3) } PASS }
  location /NAME/later/ {
    auth_request /ELSE/;
    SET access_by_lua_block { require("corebank.auth.nginx").inject "NAME" }
    PASS
  }
  location /NAME/own/ {
    set $NAME_token "";
    rewrite_by_lua_block { require("corebank.auth.nginx").inject("NAME",
      {variable = "NAME_token"}) }
    proxy_set_header Authorization $NAME_token;
    proxy_pass http://apis/NAME/;
  }
  location /NAME/asks/ { auth_request /ELSE/; SET INJECT PASS }
  location /NAME/asks-own/ { auth_request /ELSE/own/; SET INJECT PASS }
  location /NAME/asks-itself/ { auth_request /NAME/own/; SET INJECT PASS }
  location /NAME/mirrors/ { mirror /ELSE/; SET INJECT PASS }
  location /NAME/captures/ {
    SET
    access_by_lua_block {
      require("corebank.auth.nginx").inject "NAME"
      ngx.location.capture("/ELSE/", {share_all_vars = true})
    }
    rewrite_by_lua_block {
      require("corebank.auth.nginx").inject "NAME"
      ngx.location.capture("/ELSE/", {share_all_vars = true})
    }
    PASS
  }
  location /NAME/errors/ { proxy_intercept_errors on; error_page 404 = /ELSE/; SET INJECT PASS }
]]

local MEETING = [[
  location /includes/ { ssi on; default_type text/html;
    return 200 '<!--# include virtual="/a/slow/" --><!--# include virtual="/b/" -->'; }
  location /captures/ { content_by_lua_block {
    local share = {share_all_vars = true}
    ngx.location.capture_multi{{"/a/slow/", share}, {"/b/", share}, {"/a/", share}}
  } }
  location /mirrors/ { mirror /a/slow/; mirror /b/; return 200; }
]]

local HTTP = [[
  upstream apis { server 127.0.0.1:$spare; }
  server {
    listen 127.0.0.1:$spare;
    location ~ ^/(?<whose>[ab])/ { content_by_lua_block {
      local given = ngx.var.http_authorization
      local of = not given and "none" or given:match "^Of%-(%l) canary%-token" or "strange"
      ngx.shared.seen:incr(ngx.var.whose .. "saw" .. of, 1, 0)
      ngx.status = tonumber(ngx.var.arg_status) or 200
      ngx.print "ok"
    } }
  }
]]

local function locations(name, other)
  local text = OF_EACH:gsub("SET", 'set $bank_token "";')
    :gsub("INJECT", 'rewrite_by_lua_block { require("corebank.auth.nginx").inject "NAME" }')
    :gsub("PASS", "proxy_set_header Authorization $bank_token; proxy_pass http://apis/NAME/;")
  return (text:gsub("NAME", name):gsub("ELSE", other))
end

local function setup_of(name, scenario)
  return "require('corebank.auth.nginx').setup" .. sandbox.literal(gateway.options{
    name = name, scheme = "Of-" .. name, baseUrl = scenario.baseUrl})
end

describe("two banks in one variable #nginx", function()
  local gate

  setup(function()
    local scenario = bank:scenario{}
    gate = gateway.start{workers = 1, no_setup = true, http = HTTP,
      init_worker = setup_of("a", scenario) .. "\n" .. setup_of("b", scenario),
      server = locations("a", "b") .. locations("b", "a") .. MEETING}
    gate:await_ready()
  end)

  teardown(function() gate:stop() end)

  -- Asks, and returns the status and what arrived at which bank.
  local function try(path)
    local function seen()
      local list = {}
      for _, whose in ipairs{"a", "b"} do
        for _, of in ipairs{"a", "b", "none", "strange"} do
          list[whose .. " saw " .. of] = gate:count(whose .. "saw" .. of)
        end
      end
      return list
    end
    local before = seen()
    local status = gate:get(path, {Authorization = "Bearer of-the-client"})
    gate:get("/a/slow/")   -- as long as what the last request left in the background
    gate:get("/a/slow/")
    local after = seen()
    for key, count in pairs(after) do after[key] = count - before[key] end
    after["a saw a"] = after["a saw a"] - 2
    return status, after
  end

  local function check(path, wanted)
    local status, seen = try(path)
    for _, key in ipairs{"a saw b", "b saw a", "a saw strange", "b saw strange"} do
      assert.equal(0, seen[key], path .. ": " .. key)
    end
    for key, value in pairs(wanted) do
      assert.equal(value, key == "status" and status or seen[key], path .. ": " .. key)
    end
  end

  for name, other in pairs{a = "b", b = "a"} do
    local own, others = name .. " saw " .. name, other .. " saw " .. other
    for path, wanted in pairs{
      ["/"] = {status = 200, [own] = 1},
      ["/asks/"] = {status = 500, [own] = 0, [others] = 0},
      ["/later/"] = {status = 500, [own] = 0, [others] = 0},
      ["/asks-own/"] = {status = 200, [own] = 1, [others] = 1},
      ["/asks-itself/"] = {status = 200, [own] = 2},
      ["/mirrors/"] = {status = 200, [others] = 0},
      ["/captures/"] = {[others] = 0},
      ["/errors/?status=404"] = {status = 200, [own] = 1, [others] = 1},
    } do
      it("gives each its own only: /" .. name .. path, function()
        check("/" .. name .. path, wanted)
      end)
    end
  end

  for _, path in ipairs{"/includes/", "/captures/", "/mirrors/"} do
    it("gives each its own only: " .. path, function() check(path, {status = 200}) end)
  end

  it("says once for each bank whose the variable is, too", function()
    local log = gate:log()
    for _, name in ipairs{"a", "b"} do
      local _, told = log:gsub("bank '" .. name .. "': inject%(%): the variable %$bank_token is "
        .. "also that of bank '%l', ", "")
      assert.equal(1, told, log)
    end
  end)
end)
