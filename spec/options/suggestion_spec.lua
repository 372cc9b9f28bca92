-- S37: an unknown option is answered with one that is near, with `headers` for what is a header's
-- name, and else with where the list is.

local auth = require "corebank.auth"
local command = require "spec.support.command"

local function raised(call, ...)
  local ok, message = pcall(call, ...)
  assert.is_false(ok)
  assert.is_nil(message:find("%c"), message)
  return message
end

local LIST = "; docs/options.md lists the options$"

describe("S37: an unknown option", function()
  it("that is near a known one is answered with that", function()
    for name, known in pairs{
      clientID = "clientId", client_secret = "clientSecret", ["client-secret"] = "clientSecret",
      clientSecert = "clientSecret", timeOut = "timeout", timout = "timeout", baseURL = "baseUrl",
      baseUri = "baseUrl", attempt = "attempts", atempts = "attempts", retries = "attempts",
      url = "baseUrl", caFiles = "caFile", ca_file = "caFile", proxi = "proxy", minTLS = "minTls",
      connectionTimeout = "connectTimeout", clientCertificate = "clientCert", header = "headers",
      timeoutSeconds = "timeout", refresh_ahead = "refreshAhead", onevents = "onEvent",
      password = "clientSecret"} do
      local message = raised(auth.client, {[name] = "x"})
      local wanted = ("unknown option '%s'; did you mean '%s'?"):format(name, known)
      assert.is_truthy(message:find(wanted, 1, true), message)
    end
  end)

  it("that names a secret's file is answered with how a file is given", function()
    for name, known in pairs{clientSecretFile = "clientSecret", secret_file = "clientSecret",
      client_secret_file = "clientSecret", clientKeyPasswordFile = "clientKeyPassword"} do
      local wanted = ("'%s'; did you mean '%s'? Its value may be auth.secret.file(path)"):format(
        name, known)
      local message = raised(auth.client, {[name] = "x"})
      assert.is_truthy(message:find(wanted, 1, true), message)
    end
  end)

  it("that is a request header's name is answered with headers", function()
    for _, name in ipairs{"userAgent", "user_agent", "User-Agent", "authorization",
      "Authorization", "apiKey", "api_key", "X-Api-Key", "x-tenant", "xApiKey", "contentType",
      "Content-Type", "Accept-Language", "Ocp-Apim-Subscription-Key", "cookie", "requestId",
      "correlationId", "Idempotency-Key", "traceparent"} do
      local message = raised(auth.authenticate, {[name] = "x"})
      local wanted = ("unknown option '%s'; did you mean 'headers'?"):format(name)
      assert.is_truthy(message:find(wanted, 1, true), message)
    end
  end)

  it("that is near none is answered with where the list is", function()
    for _, name in ipairs{"grant", "scope", "audience", "region", "ip", "a", "", "debug",
      "logger", "keepalive", "environment", "port", "ttl", "cache", ("x"):rep(1000)} do
      local message = raised(auth.authenticate, {[name] = "x"})
      assert.is_truthy(message:find(LIST), message)
      assert.is_nil(message:find("did you mean", 1, true), message)
      assert.is_true(#message < 200, message)
    end
  end)

  it("that would switch verification off is answered that nothing does", function()
    for _, name in ipairs{"verify", "ssl_verify", "insecure"} do
      assert.is_truthy(raised(auth.authenticate, {[name] = false})
        :find("verification cannot be switched off, but caFile names", 1, true))
    end
  end)

  it("is shown without what a terminal would obey", function()
    local name = "\27[31mred\155\194\155\226\128\174\127"
    for call, given in pairs{[auth.authenticate] = {[name] = 1}, [auth.client] = {[name] = 1},
      [auth.store.file] = {[name] = 1}} do
      local message = raised(call, given)
      assert.is_truthy(message:find("unknown option '?[31mred????'", 1, true), message)
    end
    local message = raised(auth.authenticateAll, {}, {[name] = 1})
    local wanted = "unknown option '?[31mred????'; docs/options.md lists the options"
    assert.is_truthy(message:find(wanted, 1, true), message)
  end)
end)

describe("S37: an unknown flag #slow", function()
  local user = command.user(setup, teardown)

  local function first_line(...)
    local result = user:run{"token", ...}
    assert.equal(2, result.status)
    assert.is_truthy(result.err:find("\ncorebank%-auth token %-%-help says more\n$"), result.err)
    return result.err:match "^corebank%-auth: ([^\n]*)\n"
  end

  it("is answered with one that is near, if there is one", function()
    for flag, line in pairs{
      ["--client-idd"] = "unknown option '--client-idd'; did you mean '--client-id'?",
      ["--clientId"] = "unknown option; did you mean '--client-id'?",
      ["--CA_FILE=x"] = "unknown option; did you mean '--ca-file'?",
      ["--cacert"] = "unknown option '--cacert'; did you mean '--ca-file'?",
      ["--secretfile"] = "unknown option '--secretfile'; did you mean '--secret-file'?",
      ["--user-agent"] = "unknown option '--user-agent'; did you mean '--header'?",
      ["--headers"] = "unknown option '--headers'; did you mean '--header'?",
      ["--x-tenant"] = "unknown option '--x-tenant'; did you mean '--header'?",
      ["-H"] = "unknown option; did you mean '--header'?",
      ["--insecure"] = "unknown option '--insecure'; verification cannot be switched off, but "
        .. "--ca-file names the authorities to trust",
      ["-k"] = "unknown option '-k'; verification cannot be switched off, but --ca-file names "
        .. "the authorities to trust",
      ["--scope"] = "unknown option '--scope'",
      ["--verbose"] = "unknown option '--verbose'",
      ["--hunter2"] = "unknown option"} do
      assert.equal(line, first_line(flag, "x"))
    end
  end)
end)
