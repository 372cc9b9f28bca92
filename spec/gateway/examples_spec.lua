-- The configurations in examples/, run as they are but for addresses, credentials and paths; and
-- the plugin of docs/plugins.md.

local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local pages = require "spec.support.pages"
local process = require "spec.process"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

local bank = sandbox.bank()

-- What a folder of our own, and an API behind the gateway, need beside the text.
local ADDED = [[
http {
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  lua_shared_dict seen 1m;
  lua_package_path "$checkout/lua/?.lua;$page/?.lua;$checkout/?.lua;;";
  lua_package_cpath "$checkout/build/$build/?.so;;";
  server {
    listen 127.0.0.1:$api;
    location / {
      content_by_lua_block { require("spec.support.gateway.upstream").answer() }
    }
    location /count/ {
      content_by_lua_block { require("spec.support.gateway.upstream").administer() }
    }
    location /set/ {
      content_by_lua_block { require("spec.support.gateway.upstream").administer() }
    }
  }
  init_worker_by_lua_block {
    io.open(ngx.config.prefix() .. "worker." .. ngx.worker.pid(), "w"):close()
]]

describe("examples/ #nginx", function()
  local gate, scenario, secret_file

  before_each(function()
    scenario = bank:scenario{}
    secret_file = os.tmpname()
    process.chmod(secret_file, 384)   -- 0600
    files.write(secret_file, bank.clientSecret .. "\n")
  end)

  after_each(function()
    os.remove(secret_file)
    gateway.stop_all()
  end)

  -- Starts what is in the file, with each of the pairs replaced, which must be there.
  local function start(path, changes)
    local common = {
      {"\nworker_processes auto", "\n$modules\n$user\ndaemon off;\nworker_processes 2"},
      {"\npid [^;]+", "\npid nginx.pid"},
      {"\nerror_log [^;]+", "\nerror_log error.log warn"}, {"127.0.0.1:8080", "127.0.0.1:$port"},
      {'baseUrl = "https://bank.example"', ("baseUrl = %q, caFile = %q"):format(scenario.baseUrl,
        bank.caFile)},
      {'"my%-%w+"', ("%q"):format(bank.clientId)}, {'"[%w/]+%.secret"', ("%q"):format(secret_file)},
      {"proxy_pass https://bank.example/", "proxy_pass http://127.0.0.1:$api/"},
      {"\nhttp {\n", "\n" .. ADDED:gsub("  init_worker.*", "")},
      {"  init_worker_by_lua_block {\n", (ADDED:gsub("^.*(  init_worker)", "%1"))},
    }
    for _, change in ipairs(changes) do table.insert(common, 1, change) end
    local text = files.content(path)
    for _, change in ipairs(common) do
      assert(text:find(change[1]), change[1])
      text = text:gsub(change[1], (change[2]:gsub("%%", "%%%%")))
    end
    gate = gateway.start{template = text}
  end

  it("nginx.conf is a gateway", function()
    start("examples/nginx.conf", {{"\nuser [^\n]+", ""}, {"\ninclude [^\n]+", ""},
      {"\n  lua_package_c?path [^\n]+", ""}})
    assert.equal(200, (gate:get("/bank/accounts", {Authorization = "Bearer of-the-client"})))
    assert.equal(1, gate:count "good")
    gate:await_ready()
    sandbox.await("not counted", function()
      return gate:metric 'corebank_auth_injected_total{bank="default"}' == 1
    end)
    assert.equal(1, scenario:posts())
  end)

  it("openresty.conf is one with two banks", function()
    start("examples/openresty.conf", {
      {"env COREBANK_CLIENT_SECRET", "env COREBANK_CLIENT_SECRET=" .. bank.clientSecret}})
    assert.equal(200, (gate:get("/payments/")))
    assert.equal(200, (gate:get("/reports/")))
    assert.equal(2, gate:count "good")
    gate:await_ready()
    -- One credential here, so that one token does for both.
    sandbox.await("not counted", function()
      return gate:metric 'corebank_auth_injected_total{bank="reports"}' == 1
    end)
    assert.equal(1, scenario:posts())
    gate:switch("reject", true)
    for _ = 1, 2 do
      assert.equal(401, (gate:get("/payments/")))
      assert.equal(401, (gate:get("/reports/")))
    end
    assert.is_nil(gate:log():find "uninitialized", gate:log())
  end)

  -- A location that calls the plugin with a configuration.
  local function location(path, conf)
    return ([[
      location %s {
        set $bank_token "";
        access_by_lua_block { require("plugin").access(require "%s") }
        proxy_set_header Authorization $bank_token;
        header_filter_by_lua_block { require("plugin").header_filter(require "%s") }
        proxy_pass http://127.0.0.1:$api;
      }]]):format(path, conf, conf)
  end

  it("the plugin of docs/plugins.md carries a token, and fails closed", function()
    local folder = files.new_folder()
    files.write(folder .. "/plugin.lua", pages.examples("docs/plugins.md", "lua")[1].code)
    files.write(folder .. "/secret", bank.clientSecret, "600")
    files.write(folder .. "/wrong", "canary-secret-no", "600")
    local function conf(name, file)
      return ("package.loaded.%s = {base_url = %q, client_id = %q, secret_file = '%s/%s'}\n")
        :format(name, scenario.plainUrl, bank.clientId, folder, file)
    end
    gate = gateway.start{page = folder, template = "$modules\n$user\n" .. [[
      daemon off;
      worker_processes 2;
      pid nginx.pid;
      error_log error.log warn;
      events { worker_connections 1024; }
      ]] .. ADDED:gsub("http {", "http {\n  lua_shared_dict corebank 1m;")
      .. conf("conf", "secret") .. conf("same", "secret") .. conf("wrong", "wrong") .. [[
        package.loaded.mistaken = {}
      }
      server {
        listen 127.0.0.1:$port; ]] .. location("/", "conf") .. location("/same", "same")
      .. location("/wrong", "wrong") .. location("/mistaken", "mistaken") .. " } }"}
    local own = {Authorization = "Bearer of-the-client"}
    assert.equal(200, (gate:get("/", own)))
    assert.equal(200, (gate:get("/same", own)))
    local status, headers = gate:get("/wrong", own)
    assert.equal(503, status)
    assert.equal("5", headers["retry-after"])
    assert.equal(500, (gate:get("/mistaken", own)))
    assert.equal(2, gate:count "good")
    assert.equal(0, gate:count "bad")
    assert.equal(1, gate:count "tokens")
    gate:switch("reject", true)
    assert.equal(401, (gate:get("/")))
    gate:switch("reject", false)
    sandbox.await("no new token", function()   -- the other worker may still have the old one
      assert.equal(200, (gate:get("/")))
      return gate:count "tokens" == 2
    end)
    os.execute("rm -r " .. files.quoted(folder))
  end)
end)
