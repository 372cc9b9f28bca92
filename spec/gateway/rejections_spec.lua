-- What counts as a rejection of the token, and what comes of it: G6, G9, G15.

local gateway = require "spec.support.gateway"
local http = require "socket.http"
local ltn12 = require "ltn12"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

local OBSERVE = 'header_filter_by_lua_block { require("corebank.auth.nginx").observe() }\n'
local INJECT = 'rewrite_by_lua_block { require("corebank.auth.nginx").inject() }\n'
local PASS = 'proxy_set_header Authorization $bank_token;\nproxy_pass http://api;\n'
local LINES = 'set $bank_token "";\n' .. INJECT .. OBSERVE .. PASS

local INVALIDATED = 'corebank_auth_invalidated_total{bank="default"}'

describe("a rejection #nginx", function()
  local gate, scenario

  local function start(server, setup, steps)
    gate, scenario = gateway.at_bank(steps or {}, {setup = setup, server = server, workers = 1})
    gate:await_ready()
  end

  after_each(gateway.stop_all)

  local function check_next_token()
    sandbox.await("no new token", function()
      assert.equal(200, (gate:get("/api/")))
      return scenario:posts() == 2
    end)
    assert.equal(1, gate:metric(INVALIDATED))
  end

  it("G9: is of the statuses that `rejects` lists, and of no other", function()
    start("", {rejects = {403, 498}})
    for _, status in ipairs{401, 404, 500} do
      assert.equal(status, (gate:get("/api/?status=" .. status)))
    end
    assert.equal(0, gate:metric(INVALIDATED))
    assert.equal(498, (gate:get("/api/?status=498")))
    check_next_token()
  end)

  it("G9: none is, when the list is empty", function()
    start("", {rejects = {}})
    assert.equal(401, (gate:get("/api/?status=401")))
    assert.equal(0, gate:metric(INVALIDATED))
  end)

  it("G9: is gRPC's status 16, whatever the status of HTTP", function()
    start ""
    assert.equal(200, (gate:get("/api/?grpc=0")))
    assert.equal(200, (gate:get("/api/?grpc=7")))
    assert.equal(0, gate:metric(INVALIDATED))
    assert.equal(200, (gate:get("/api/?grpc=16")))
    check_next_token()
  end)

  it("G9: is what reject() says it is", function()
    start([[location /told/ { ]] .. LINES .. [[ log_by_lua_block {
        require("corebank.auth.nginx").reject(ngx.var.arg_name)
      } }]])
    assert.equal(200, (gate:get("/told/?name=another")))
    assert.equal(0, gate:metric(INVALIDATED))
    assert.equal(200, (gate:get("/told/")))
    check_next_token()
    assert.is_truthy(gate:log():find("no bank 'another' was set up", 1, true))
  end)

  it("G6: is seen behind error_page by the page's location", function()
    start([[
      location /behind/ { proxy_intercept_errors on; error_page 401 /denied; ]] .. LINES .. [[ }
      location = /denied { return 401 "mine"; ]] .. OBSERVE .. [[ }]])
    local status, _, body = gate:get("/behind/?status=401")
    assert.equal(401, status)
    assert.equal("mine", body)
    check_next_token()
  end)

  it("G6: is seen there although the page has another status", function()
    start([[
      location /behind/ { proxy_intercept_errors on; error_page 401 =200 /denied;
        ]] .. LINES .. [[ }
      location = /denied { return 200 "mine"; ]] .. OBSERVE .. [[ }]])
    assert.equal(200, (gate:get("/behind/?status=401")))
    check_next_token()
  end)

  local AGAIN = [[
    location /again/ { proxy_intercept_errors on; error_page 401 = @again; ]] .. LINES .. [[ }
    location @again { ]] .. INJECT .. OBSERVE .. PASS .. [[ }]]

  it("G6: the request is sent again with the next token, body and all", function()
    start(AGAIN)
    assert.equal(200, (gate:get("/again/")))
    gate:switch("revoke", true)
    local body = {}
    local _, status = http.request{url = gate.url .. "/again/?echo=1", method = "POST",
      headers = {["Content-Length"] = 12}, source = ltn12.source.string "what is sent",
      sink = ltn12.sink.table(body)}
    assert.equal(200, status)
    assert.equal("POST what is sent", table.concat(body))
    assert.equal(2, scenario:posts())
    assert.equal(2, gate:count "tokens")
    assert.equal(0, gate:count "bad")
    assert.equal("", gate:log())
  end)

  it("G6: once, and not when there is no other token", function()
    start(AGAIN)
    assert.equal(401, (gate:get("/again/?status=401")))
    assert.equal(2, gate:count "good")
    assert.equal(2, gate:count "tokens")
    -- Within the pause no rejection counts: the same token would come again.
    assert.equal(401, (gate:get("/again/?status=401")))
    assert.equal(3, gate:count "good")
    assert.equal(2, scenario:posts())
    assert.equal(0, gate:count "bad")
  end)

  it("G6: many at once are sent again with one next token", function()
    start(AGAIN)
    assert.same({[200] = 50}, gate:at_once(50, "/again/"))
    gate:switch("revoke", true)
    assert.same({[200] = 50}, gate:at_once(50, "/again/"))
    assert.equal(2, scenario:posts())
  end)

  it("G6: who is kept out by nginx itself does not come in by the replay", function()
    local kept_out = {
      password = 'auth_basic "x"; auth_basic_user_file none;',
      asked = "auth_request /no;",
      any = 'satisfy any; deny all; auth_basic "x"; auth_basic_user_file none;',
    }
    local function in_access(text) return (text:gsub("rewrite_by", "access_by")) end
    local server = AGAIN .. "location = /no { return 401; }" .. [[
      location /access/ { proxy_intercept_errors on; error_page 401 = @access; ]]
      .. in_access(LINES) .. [[ }
      location @access { if ($upstream_status = "") { return 401; } ]]
      .. in_access(INJECT) .. PASS .. "}"
    for name, lines in pairs(kept_out) do
      for place, own in pairs{again = LINES, access = in_access(LINES)} do
        server = server .. ("location /%s/%s/ { error_page 401 = @%s; %s }")
          :format(place, name, place, "proxy_intercept_errors on; " .. lines .. own)
      end
    end
    start(server)
    for name in pairs(kept_out) do
      assert.equal(401, (gate:get("/again/" .. name .. "/")), name)
      assert.equal(401, (gate:get("/access/" .. name .. "/")), name)
    end
    assert.equal(0, gate:count "good")
    assert.equal(0, gate:count "bad")
    assert.equal(0, gate:metric(INVALIDATED))
    assert.equal(200, (gate:get("/again/")))
    assert.equal(200, (gate:get("/access/")))
    -- What an upstream has seen is sent again all the same.
    gate:switch("revoke", true)
    assert.equal(200, (gate:get("/access/")))
    assert.equal(2, gate:count "tokens")
  end)

  it("G15: of fresh tokens, too, is told once", function()
    start("", nil, {{delay = 0}})
    local function told()
      return select(2, gate:log():gsub("the API rejects new tokens as well: another program", ""))
    end
    assert.equal(401, (gate:get("/api/?status=401")))
    assert.equal(0, told())
    sandbox.await("it is not told", function()
      gate:get("/api/?status=401")
      return told() == 1
    end, 15)
    assert.is_true(scenario:posts() <= 3, scenario:posts())
  end)

  it("G8: of one path takes nobody's good token while the bank is down", function()
    start("", {attempts = 1}, {{}, {status = 503}})
    assert.equal(200, (gate:get("/api/")))
    for _ = 1, 5 do
      assert.equal(401, (gate:get("/api/?status=401")))
      assert.same({[200] = 10}, gate:at_once(10, "/api/"))
    end
    assert.equal(1, gate:count "tokens")
    assert.equal(0, gate:count "bad")
    assert.equal(200, (gate:get("/ready")))
  end)
end)
