-- Where a request's token goes, and the client's own Authorization does not, whatever nginx does
-- with the request: G1 to G4. Each way is tried with inject() in both of its phases.

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

local bank = sandbox.bank()

-- For each phase PHASE: /PHASE/bank/ proxies to the bank; the others lead there and elsewhere.
local WAYS = [[
  location /PHASE/bank/ { LINES proxy_pass http://api/; }
  location /PHASE/deny/ { satisfy any; deny all; LINES proxy_pass http://api/; }
  location /PHASE/denyall/ { satisfy all; deny all; LINES proxy_pass http://api/; }
  location /PHASE/allow/ { satisfy any; allow all; deny all; LINES proxy_pass http://api/; }
  location /PHASE/password/ {
    satisfy any; deny all; auth_basic "x"; auth_basic_user_file $prefixpasswords;
    LINES proxy_pass http://api/;
  }
  location /PHASE/asked/ {
    satisfy any; deny all; auth_request /PHASE/no; LINES proxy_pass http://api/;
  }
  location = /PHASE/no { internal; return 403; }
  location /PHASE/mirror/ { mirror /spare/mirror; LINES proxy_pass http://api/; }
  location /PHASE/errors/ {
    proxy_intercept_errors on; error_page 404 = @spare; error_page 500 /spare/500;
    LINES proxy_pass http://api/;
  }
  location /PHASE/exec/ { LINES content_by_lua_block { ngx.exec("/spare/exec") } }
  location /PHASE/named/ { LINES content_by_lua_block { ngx.exec("@spare") } }
  location /PHASE/accel/ { LINES proxy_pass http://api/; }
  location /PHASE/parent/ { auth_request /PHASE/bank/; proxy_pass http://other/; }
  location /PHASE/child/ { auth_request /spare/child; LINES proxy_pass http://api/; }
  location /PHASE/capture/ { content_by_lua_block {
    local answer = ngx.location.capture("/PHASE/bank/" .. (ngx.var.arg_share or ""),
      {share_all_vars = ngx.var.arg_vars == "1"})
    local other = ngx.location.capture("/spare/capture", {share_all_vars = ngx.var.arg_vars == "1"})
    ngx.status = answer.status
    ngx.print(answer.body, other.body)
  } }
  location /PHASE/includes/ { ssi on; default_type text/html;
    return 200 '<!--# include virtual="/PHASE/bank/" --><!--# include virtual="/spare/ssi" -->'; }
  location /PHASE/added/ { add_after_body /spare/added; default_type text/html;
    addition_types *; LINES proxy_pass http://api/; }
  location /PHASE/tried/ { try_files /no/such @PHASE; }
  location @PHASE { LINES proxy_pass http://api; }
  location /PHASE/both/ { auth_request /PHASE/bank/; LINES proxy_pass http://api/; }
  location /PHASE/led/ { rewrite ^ /PHASE/asks/ last; }
  location /PHASE/asks/ { auth_request /rewrite/bank/; LINES proxy_pass http://api/; }
  location /PHASE/exec_bank/ { content_by_lua_block { ngx.exec("/PHASE/bank/") } }
  location /PHASE/error_bank/ { error_page 404 = /PHASE/bank/; return 404; }
  location /PHASE/error_named/ { error_page 404 = @PHASE; return 404; }
  location /PHASE/mirror_bank/ { mirror /PHASE/bank/; proxy_pass http://other/; }
  location /PHASE/delayed/ { limit_req zone=slow burst=9; LINES proxy_pass http://api/; }
  location /PHASE/nested/ { location /PHASE/nested/x/ { proxy_pass http://other/; }
    LINES proxy_pass http://api/; }
  location /PHASE/rewritten/ { LINES rewrite ^ /spare/rewritten; }
  location /PHASE/lacking/ { PHASE_by_lua_block { require("corebank.auth.nginx").inject() }
    proxy_pass http://api; }
  location /PHASE/skipping/ { if ($arg_x = "") { break; }
    LINES proxy_pass http://api; }
  location /PHASE/if/ { LINES if ($arg_no) { proxy_pass http://other; } proxy_pass http://api; }
  location /PHASE/except/ { LINES limit_except GET { deny all; } proxy_pass http://api/; }
]]

local SPARE = [[
  location /spare/ { proxy_pass http://other; }
  location @spare { proxy_pass http://other; }
]]

local HTTP = [[
  limit_req_zone $server_port zone=slow:1m rate=20r/s;
  upstream other { server 127.0.0.1:$spare; }
  server {
    listen 127.0.0.1:$spare;
    location / { content_by_lua_block { require("spec.support.gateway.upstream").other() } }
  }
]]

local LINES = [[
  set $bank_token "";
  PHASE_by_lua_block { require("corebank.auth.nginx").inject() }
  header_filter_by_lua_block { require("corebank.auth.nginx").observe() }
  proxy_set_header Authorization $bank_token;
]]

local function ways(phase)
  return (WAYS:gsub("LINES", LINES):gsub("PHASE", phase))
end

local OWN = {Authorization = "Bearer of-the-client"}

describe("a gateway #nginx", function()
  local gate

  setup(function()
    local scenario = bank:scenario{}
    gate = gateway.start{setup = {baseUrl = scenario.baseUrl}, http = HTTP,
      server = SPARE .. (ways "rewrite" .. ways "access"):gsub("%$prefix", "")}
    local passwords = assert(io.open(gate.dir .. "/passwords", "w"))
    passwords:write "me:{PLAIN}right\n"
    passwords:close()
    gate:await_ready()
  end)

  teardown(function() gate:stop() end)

  -- What came of one request: its status, and what arrived where.
  local function try(path, headers, wanted)
    local names, before = {"good", "bare", "own", "spare", "leaks", "passed"}, {}
    for _, name in ipairs(names) do before[name] = gate:count(name) end
    local status = gate:get(path, headers or OWN)
    local function counts()
      local now = {status = status}
      for _, name in ipairs(names) do now[name] = gate:count(name) - before[name] end
      return now
    end
    if wanted.spare == 1 then   -- a mirror may come after the answer
      sandbox.await("the other server was not asked", function() return counts().spare == 1 end)
    end
    return counts()
  end

  -- In no case may these be anything else.
  local function check(path, headers, wanted)
    local got = try(path, headers, wanted)
    assert.equal(0, got.leaks, path .. ": the other server saw the token")
    assert.equal(0, got.own, path .. ": the bank saw the client's own")
    for name, value in pairs(wanted) do
      assert.equal(value, got[name], ("%s: %s\n%s"):format(path, name, gate:log()))
    end
  end

  for _, phase in ipairs{"rewrite", "access"} do
    local function each(what, path, wanted, headers)
      it(("%s, %s: %s"):format(what, phase, path), function()
        check("/" .. phase .. path, headers, wanted)
      end)
    end

    each("the plain case", "/bank/", {status = 200, good = 1})
    each("G1: satisfy any", "/deny/", {status = 403, good = 0, bare = 0})
    each("G1: satisfy all", "/denyall/", {status = 403, good = 0, bare = 0})
    each("G1: satisfy any", "/password/", {status = 401, good = 0, bare = 0})
    each("G1: satisfy any", "/asked/", {status = 403, good = 0, bare = 0})
    -- An access handler is skipped when somebody else has let the request in.
    local skipped = phase == "access"
    each("G2: satisfy any", "/allow/", {good = skipped and 0 or 1, bare = skipped and 1 or 0})
    each("G2: satisfy any", "/password/", {good = skipped and 0 or 1, bare = skipped and 1 or 0},
      {Authorization = "Basic bWU6cmlnaHQ="})
    -- Nor do subrequests have an access phase.
    each("G3: auth_request to it", "/parent/",
      {status = skipped and 401 or 200, spare = skipped and 0 or 1})
    each("G3: auth_request elsewhere", "/child/", {status = 200, spare = 1, good = 1})
    each("G3: capture", "/capture/", {spare = 1, status = skipped and 401 or 200})
    each("G3: capture", "/capture/?vars=1", {spare = 1, status = skipped and 401 or 200})
    each("G3: SSI", "/includes/", {spare = 1, good = skipped and 0 or 1})
    each("G3: addition", "/added/", {spare = 1, good = 1})
    each("G4: mirror", "/mirror/", {status = 200, good = 1, spare = 1})
    each("G4: error_page", "/errors/?status=404", {status = 200, good = 1, spare = 1})
    each("G4: error_page", "/errors/?status=500", {status = 500, good = 1, spare = 1})
    each("G4: ngx.exec", "/exec/", {status = 200, spare = 1})
    each("G4: ngx.exec", "/named/", {status = 200, spare = 1})
    each("G4: X-Accel-Redirect", "/accel/?accel=/spare/accel", {status = 200, good = 1, spare = 1})
    each("G4: X-Accel-Redirect", "/accel/?accel=@spare", {status = 200, good = 1, spare = 1})
    each("both of an auth_request", "/both/", {status = skipped and 401 or 200})
    each("auth_request to it, after a rewrite", "/led/", {status = 200, good = 2})
    each("ngx.exec to it", "/exec_bank/", {status = 200, good = 1})
    each("error_page to it", "/error_bank/", {status = 200, good = 1})
    each("error_page to it, by name", "/error_named/", {status = 200, good = 1})
    each("mirror to it", "/mirror_bank/", {status = 200, spare = 1})
    each("limit_req", "/delayed/", {status = 200, good = 1})
    -- It inherits all lines but `set`.
    each("a location inside", "/nested/x/", {status = 503, spare = 0, good = 0})
    each("rewrite", "/rewritten/", {status = 200, spare = 1})
    each("try_files", "/tried/", {status = 200, good = 1})
    each("a location without the lines", "/lacking/", {status = 503, good = 0, bare = 0})
    each("a set that is skipped", "/skipping/", {status = 503, good = 0, bare = 0})
    each("if", "/if/", {status = 200, good = 1})
    each("limit_except", "/except/", {status = 200, good = 1})
  end

  it("says once in each worker which lines a location lacks", function()
    local log = gate:log()
    local _, told = log:gsub("inject: the variable %$bank_token is not set here; add `set "
      .. '%$bank_token "";` and `proxy_set_header', "")
    assert(told == 1 or told == 2, log)
  end)
end)
