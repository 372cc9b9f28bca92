-- corebank-auth doctor: what it says of each thing that can be wrong.

local command = require "spec.support.command"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()
local user = command.user(setup, teardown)

-- Runs the doctor: its exit status, and its lines as {state, name, text}.
local function examine(words, changes)
  local line = {"doctor"}
  for _, word in ipairs(words) do line[#line + 1] = word end
  local result = user:run(line, changes)
  assert.equal("", result.err)
  assert.is_nil(result.out:find("canary%-"))
  assert.is_nil(result.out:find("\27", 1, true))
  local lines = {}
  for state, name, text in result.out:gmatch("(%a+) +(%a+) +([^\n]+)\n") do
    if state == "ok" or state == "failed" then
      lines[#lines + 1] = {state = state, name = name, text = text}
      lines[name] = lines[#lines]
    end
  end
  return result.status, lines, result.out
end

-- What must come before `name`, which must have failed.
local ORDER = {"options", "secret", "store", "resolve", "connect", "tls", "clock", "answer"}

local function fails_at(name, status, words, changes)
  local got, lines, out = examine(words, changes)
  assert.equal(status, got, out)
  assert.equal("failed", lines[#lines].state, out)
  assert.equal(name, lines[#lines].name, out)
  for i = 1, #lines - 1 do
    assert.equal("ok", lines[i].state, out)
    assert.equal(ORDER[i], lines[i].name, out)
  end
  return lines[#lines].text
end

local function trusting(...)
  local words = {...}
  words[#words + 1] = "--ca-file"
  words[#words + 1] = bank.caFile
  return words
end

describe("the doctor #tls", function()
  it("finds nothing wrong, and says what there is", function()
    local status, lines, out = examine(trusting("--timeout", "5"))
    assert.equal(0, status, out)
    assert.equal(#ORDER, #lines)
    for i, name in ipairs(ORDER) do
      assert.equal(name, lines[i].name)
      assert.equal("ok", lines[i].state, out)
    end
    assert.is_truthy(out:find("--base-url " .. bank.url .. " ($COREBANK_BASE_URL)", 1, true), out)
    assert.is_truthy(out:find("--timeout 5 (given)", 1, true), out)
    assert.is_truthy(out:find("--attempts 3 (by default)", 1, true), out)
    assert.equal("$COREBANK_CLIENT_SECRET", lines.secret.text)
    assert.equal("file in " .. user.home .. "/.cache/corebank-auth", lines.store.text)
    assert.equal("localhost is 127.0.0.1", lines.resolve.text)
    assert.is_truthy(lines.connect.text:find("^https://localhost:%d+ in %d+ ms$"))
    assert.is_truthy(lines.tls.text:find("^TLS 1%.3, certificate until 2099%-01%-01, %d+ days$"))
    assert.equal("as the bank's", lines.clock.text)
    assert.is_truthy(lines.answer.text:find("^Bearer token, 359%d s left$"))
  end)

  it("tells the TLS version", function()
    local _, lines = examine(trusting("--base-url", bank.urls.tls12))
    assert.is_truthy(lines.tls.text:find("^TLS 1%.2, certificate until 2099"), lines.tls.text)
  end)

  it("names a certificate that is not trusted, nothing sent", function()
    for _, fault in ipairs{"selfsigned", "expired", "wronghost", "untrusted"} do
      local posts = bank:posts()
      local text = fails_at("tls", 5, trusting("--base-url", bank.urls[fault]))
      assert.is_truthy(text:find("is not trusted; check --ca-file", 1, true), text)
      assert.equal(0, bank:posts() - posts)
    end
  end)

  it("names a wrong pin, and a server that is too old", function()
    assert.is_truthy(fails_at("tls", 5, trusting("--pinned-key", bank.wrongPin))
      :find("--pinned-key", 1, true))
    fails_at("tls", 5, trusting("--base-url", bank.urls.tls11))
  end)

  it("says so where libcurl cannot tell when the certificate ends", function()
    local script = user:write("doctor.lua", [[
      local core = require "corebank.auth.core"
      local inspect = core.inspect
      function core.inspect(...)
        local found = inspect(...)
        found.certificateEnd = nil
        return found
      end
      os.exit(require "corebank.auth.cli.main".run(arg))]])
    local result = user:run(user:line(trusting("doctor"), nil, script))
    assert.equal(0, result.status, result.err)
    assert.is_truthy(result.out:find("TLS 1.3, certificate until an unknown day\n", 1, true))
  end)

  it("takes a client certificate", function()
    local status, _, out = examine(trusting("--base-url", bank.urls.mtls,
      "--client-cert", bank.files.clientCert, "--client-key", bank.files.clientKey))
    assert.equal(0, status, out)
  end)
end)

describe("the doctor", function()
  it("names an option that is wrong, by its flag", function()
    assert.is_truthy(fails_at("options", 2, {}, {COREBANK_BASE_URL = false})
      :find("^%-%-base%-url is missing"))
    fails_at("options", 2, {"--timeout", "0"})
  end)

  it("names a secret that is missing or not usable, and the mode of one that is", function()
    local path = user.home .. "/secret"
    os.execute(("umask 077; printf '%%s\\n' '%s' > %s"):format(bank.clientSecret, path))
    local status, lines = examine(trusting("--secret-file", path))
    assert.equal(0, status)
    assert.equal("file " .. path .. ", mode 0600", lines.secret.text)
    os.execute("chmod 644 " .. path)
    assert.is_truthy(fails_at("secret", 2, {"--secret-file", path}):find("chmod", 1, true))
    fails_at("secret", 2, {"--secret-file", "/no/such"})
  end)

  it("names a store that cannot be used, and goes on without one", function()
    local text = fails_at("store", 2, trusting("--store-dir", "/proc/no such"))
    assert.is_truthy(text:find("--no-store", 1, true))
    local status, lines = examine(trusting("--no-store"))
    assert.equal(0, status)
    assert.equal("none (--no-store)", lines.store.text)
  end)

  it("names a host that has no address", function()
    assert.is_truthy(fails_at("resolve", 4, {"--base-url", "https://no-such.invalid"})
      :find("check --base-url, and this machine's DNS", 1, true))
  end)

  it("names a port that nobody listens on, and one behind a wall", function()
    local closed = "https://localhost:" .. sandbox.closedPort()
    local text = fails_at("connect", 4, {"--base-url", closed})
    assert.is_truthy(text:find("Connection refused); check host and port", 1, true), text)
    local hole = sandbox.blackhole()
    text = fails_at("connect", 4, {"--base-url", hole.httpsUrl, "--connect-timeout", "0.5"})
    hole.stop()
    assert.is_truthy(text:find("firewall", 1, true), text)
  end)

  it("names a proxy, its password left out", function()
    local proxy = "http://user:canary-secret-proxy@127.0.0.1:" .. sandbox.closedPort()
    local text = fails_at("connect", 4, {"--proxy", proxy})
    assert.is_truthy(text:find("--proxy", 1, true), text)
    local _, _, out = examine({}, {https_proxy = proxy})
    assert.is_truthy(out:find("--proxy http://…@127.0.0.1:%d+ %(%$https_proxy%)"), out)
  end)

  it("says that it is the environment's proxy that cannot be reached", function()
    local proxy = "http://127.0.0.1:" .. sandbox.closedPort()
    local text = fails_at("connect", 4, {}, {https_proxy = proxy})
    assert.is_truthy(text:find("^the proxy " .. proxy:gsub("%p", "%%%0")
      .. " %(from https_proxy%) does not lead to .* check %-%-proxy, or the env"), text)
    for _, words in ipairs{{"--proxy", "http://no-such.invalid"}, {}} do
      text = fails_at("resolve", 4, words, {https_proxy = "http://no-such.invalid"})
      assert.is_truthy(text:find("check --proxy, or the env", 1, true), text)
    end
  end)

  it("does not speak of a proxy where the host needs none", function()
    local proxy = "http://127.0.0.1:" .. sandbox.closedPort()
    for _, changes in ipairs{{https_proxy = proxy, no_proxy = "localhost"},
      {https_proxy = proxy, NO_PROXY = "localhost"}, {no_proxy = "localhost"},
      {no_proxy = "elsewhere"}} do
      local status, lines, out = examine(trusting(), changes)
      assert.equal(0, status, out)
      assert.is_truthy(lines.resolve.text:find "^localhost is ", out)
      assert.is_nil(lines.connect.text:find("proxy", 1, true), out)
    end
    local text = fails_at("connect", 4, {"--proxy", proxy, "--no-proxy", "localhost",
      "--base-url", "https://localhost:" .. sandbox.closedPort()})
    assert.is_truthy(text:find("^cannot connect to https://localhost"), text)
    text = fails_at("connect", 4, {"--proxy", proxy, "--base-url", "https://no-such.invalid"},
      {NO_PROXY = "localhost"})
    assert.is_truthy(text:find("^the proxy http://127.0.0.1:%d+ does not lead to"), text)
  end)

  it("shows no password of a proxy's URL, however that is written", function()
    for _, url in ipairs{"http://user:p/canary-p@127.0.0.1:1", "http://user:p@canary-p@127.0.0.1:1",
      "user:p/canary-p@127.0.0.1:1", "http:/user:canary-p@127.0.0.1:1"} do
      local _, _, out = examine({}, {https_proxy = url})   -- which looks for canaries
      assert.is_truthy(out:find("--proxy h?t?t?p?:?/*…@127.0.0.1:1 %(%$https_proxy%)"), out)
    end
  end)

  it("tells of those of the environment's proxies that count", function()
    local proxies = {https_proxy = "http://127.0.0.1:1", http_proxy = "http://127.0.0.1:2"}
    local _, _, out = examine({"--base-url", "http://127.0.0.1:3"}, proxies)
    assert.is_nil(out:find("--proxy", 1, true), out)
    _, _, out = examine({"--base-url", "http://127.0.0.1:3", "--allow-plaintext"}, proxies)
    assert.is_truthy(out:find("--proxy http://127.0.0.1:2 ($http_proxy)", 1, true), out)
  end)

  it("names a leeway that no token of the bank's is long enough for", function()
    local text = fails_at("answer", 7, trusting("--leeway", "99999"))
    assert.equal("--leeway is more than the bank's new token has left; make it smaller", text)
  end)

  it("names a wrong secret", function()
    assert.is_truthy(fails_at("answer", 3, trusting(), {COREBANK_CLIENT_SECRET = "wrong"})
      :find("check --client-id and the client secret", 1, true))
  end)

  it("says what to do about an answer that is none", function()
    for hint, step in pairs{["try again later"] = {status = 503},
      ["try again in 42 s"] = {status = 429, headers = {["Retry-After"] = "42"}},
      ["check --base-url and --path"] = {body = "<html>"}} do
      local base = bank:scenario{step}.baseUrl
      local text = fails_at("answer", hint:find "check" and 7 or 6,
        trusting("--attempts", "1"), {COREBANK_BASE_URL = base})
      assert.is_truthy(text:find("; " .. hint, 1, true), text)
    end
  end)

  it("names clocks that are far apart, and only tells when they are not", function()
    local function date(offset)
      local value = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + offset)
      return bank:scenario{{headers = {Date = value}}}.baseUrl
    end
    local text = fails_at("clock", 7, trusting("--base-url", date(3600)))
    assert.is_truthy(text:find("is 3[56]%d%d s behind the bank's; set it"), text)
    text = fails_at("clock", 7, trusting("--base-url", date(-3600)))
    assert.is_truthy(text:find("ahead of the bank's", 1, true), text)
    local status, lines = examine(trusting("--base-url", date(60)))
    assert.equal(0, status)
    assert.is_truthy(lines.clock.text:find("^[56]%d s behind the bank's$"))
  end)

  it("says that http:// is not encrypted", function()
    local status, lines, out = examine{"--base-url", bank.plainUrl}
    assert.equal(0, status, out)
    assert.equal("none: http:// is not encrypted", lines.tls.text)
  end)

  it("has colours on a terminal, unless NO_COLOR says no", function()
    local environment = command.environment(user.home)
    local words = {"doctor", "--timeout", "0"}
    local shown = command.on_terminal(user.home, command.line(environment, words), "")
    assert.is_truthy(shown:find("\27[31mfailed\27[0m  options", 1, true), shown)
    environment.NO_COLOR = "1"
    shown = command.on_terminal(user.home, command.line(environment, words), "")
    assert.is_truthy(shown:find("failed  options", 1, true))
    assert.is_nil(shown:find("\27", 1, true))
  end)
end)
