-- What torture.c calls: one authenticate per scenario, and the judgement of what came of it.

-- LuaJIT's compiler of 2023 does not survive a failed allocation; the interpreter does.
if jit then jit.off() end

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
require "corebank.auth.store.file"   -- here, so that torture.c compiles it with the rest

local SECRET = 'canary-"secret"-Kq83'   -- tiny_bank.h has it as JSON writes it
local TOKEN = "canary-token-Zx9-._~+/="

-- Full jitter that draws zero: tries follow each other at once.
local function zero() return 0 end

local scenarios = {}

local function simple(name)
  scenarios[name] = function(bank)
    return {baseUrl = bank .. "/" .. name, clientId = "torture-client", clientSecret = SECRET,
      timeout = 5}
  end
end

simple "ok"
simple "large"
simple "denied"
simple "garbage"
simple "unusable"
simple "redirect"
simple "away"

-- 503 first. If memory runs out while a token is parsed, it is 503, 200, 503, 200.
function scenarios.flaky(bank)
  local given = scenarios.ok(bank)
  given.baseUrl, given.attempts = bank .. "/flaky", 4
  return given
end

-- Every option that can be given without TLS, the secret from a file.
function scenarios.options(bank, file)
  return {baseUrl = bank .. "/options", clientId = "torture-client",
    clientSecret = auth.secret.file(file), timeout = 5, connectTimeout = 2, attempts = 2,
    headers = {["X-Gateway-Key"] = "canary-key-77", ["X-Correlation-Id"] = "42", ["X-Empty"] = ""},
    caFile = file, caPath = "/", clientCert = file, clientKey = file, clientKeyPassword = "hush",
    pinnedKey = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", minTls = "1.3",
    proxy = "", noProxy = "localhost", allowPlaintext = true, onEvent = function() end}
end

-- So many secrets that reading the file takes new pages.
function scenarios.crowd(bank, file)
  local given, crowd = scenarios.ok(bank), {}
  for i = 1, 63 do crowd[i] = core.secret(SECRET) end
  given.clientSecret = auth.secret.file(file)
  for _, secret in ipairs(crowd) do secret:close() end
  return given
end

-- Besides, a token goes through the file store. What an earlier call could not give back for want
-- of memory is the collector's to let go of.
function scenarios.stored(bank, file)
  local given, secret = scenarios.ok(bank), core.secret(SECRET)
  collectgarbage()
  collectgarbage()
  local store = auth.store.file{dir = file .. ".store"}
  assert(#core.entry_name(secret, "context") == 32)
  assert(store:put("entry", core.seal(secret, "context", TOKEN), 60))
  assert(store:lease("entry", "owner", 60))
  assert(store:lease("entry", "owner", 60))
  assert(store:lease("entry", "another", 60) == false)
  assert(core.unseal(secret, "context", assert(store:get("entry"))) == TOKEN)
  assert(store:release("entry", "owner"))
  assert(store:delete("entry"))
  secret:close()
  return given
end

-- The host name goes through libcurl's resolver thread; torture.c's getaddrinfo knows it.
function scenarios.thread(bank)
  return {baseUrl = bank:gsub("127%.0%.0%.1", "bank.torture") .. "/ok", allowPlaintext = true,
    clientId = "torture-client", clientSecret = SECRET, timeout = 5, proxy = ""}
end

-- Against the sandbox bank.
function scenarios.tls()
  return {baseUrl = os.getenv "SANDBOX_URL", caFile = os.getenv "SANDBOX_CA",
    clientId = os.getenv "SANDBOX_CLIENT_ID", clientSecret = os.getenv "SANDBOX_CLIENT_SECRET",
    timeout = 5}
end

function scenarios.mtls()
  local given = scenarios.tls()
  given.baseUrl = "https://localhost:" .. os.getenv "SANDBOX_MTLS_PORT"
  given.clientCert = os.getenv "SANDBOX_CLIENT_CERT"
  given.clientKey = os.getenv "SANDBOX_CLIENT_KEY_ENCRYPTED"
  given.clientKeyPassword = os.getenv "SANDBOX_CLIENT_KEY_PASSWORD"
  given.pinnedKey = os.getenv "SANDBOX_PIN"
  return given
end

function scenarios.untrusted()
  local given = scenarios.tls()
  given.caFile = os.getenv "SANDBOX_OTHER_CA"
  return given
end

-- ---- a request that is no authenticate ---------------------------------------------------------

-- Doubled, because Lua 5.4's string.rep does not survive a want of memory.
local PUT_BODY = "sixteen letters."
for _ = 1, 8 do PUT_BODY = PUT_BODY .. PUT_BODY end

local function new_endpoint()
  return core.endpoint{connectTimeout = 2, proxy = "",
    headerLines = {"X-Gateway-Key: canary-key-77"}}
end

-- Performs it; returns the answer's body, or nil, a message and a problem as authenticate does.
local function put(bank, endpoint)
  local transfer = core.transfer(endpoint, {url = bank .. "/put", method = "PUT",
    headers = {"X-Own: 1"}, body = PUT_BODY}, 5)
  while not transfer:wait(1) do end
  local result, body = transfer:result(), transfer:body()
  transfer:close()
  if result.status == 200 then return body end
  local code = result.failure or "status " .. result.status
  return nil, code, {code = code, message = code, attempts = 1}
end

-- The same with both bodies in pieces, and all that a request may ask for besides. The pieces are
-- joined by hand: Lua 5.4's table.concat does not survive a want of memory either.
local function move(bank, endpoint)
  local transfer = core.transfer(endpoint, {url = bank .. "/put", method = "PUT",
    headers = {"X-Own: 1"}, upload = true, size = #PUT_BODY, stream = true, decode = true,
    http2 = true, once = true, keepHeaders = true, idle = 5}, 5)
  local given, body = 0, ""
  repeat
    if given < #PUT_BODY then
      given = given + transfer:give(PUT_BODY:sub(given + 1, given + 1000))
      if given == #PUT_BODY then transfer:give(nil) end
    end
    local isDone = transfer:wait(given < #PUT_BODY and 0 or 1)
    body = body .. (transfer:take() or "")
  until isDone
  local result, headers = transfer:result(), tostring(transfer:headers())
  transfer:close()
  if result.status == 200 and headers:find "^Content%-Type: " then return body end
  local code = result.failure or "status " .. result.status
  return nil, code, {code = code, message = code, attempts = 1}
end

-- `same`: with the endpoint of the call before.
local kept
local function call_with(perform, bank, same)
  local endpoint = same and kept or new_endpoint()
  if same then kept = endpoint end
  local body, message, problem = perform(bank, endpoint)
  if not same then endpoint:close() end
  return body, message, problem
end

-- ---- JSON, both ways ---------------------------------------------------------------------------

-- Longer than what is allocated at first, and with all that is read in a way of its own.
local JSON = ('[{"list":[]},[true,null,-0.5,17],"canary\\u0000json",{"%s":[[[1e+300]]]}]')
  :format(PUT_BODY:sub(1, 600))

-- What a want of memory raises is no refusal.
local function refusal_of(value)
  local ok, message = pcall(auth.json.encode, value)
  assert(not ok)
  if message:find("not enough memory", 1, true) then error(message, 0) end
  return message
end

local function call_json()
  local value = assert(auth.json.decode(JSON))
  assert(refusal_of{deep = {value, 0 / 0}}:find("value.deep[2] is", 1, true))
  assert(select(2, auth.json.decode '{"a":1,"a":2}'):find "^at byte 8 the text has a name twice")
  assert(auth.json.decode("1e400", {bigNumbers = "string"}) == "1e400")
  return auth.json.encode(value)
end

-- The code of the problem where it is not a token that is to come.
local usual = {denied = "denied", garbage = "response", unusable = "response", away = "redirect",
  untrusted = "tls"}

-- What a want of memory may look like besides; all else, a denial above all, would be a request or
-- an answer that lost a part on its way and went on.
local want_of_memory = {network = true, connect = true, resolve = true, response = true}

-- libcurl 8.14: the name is printed into memory of its own. Any failure there means no trust.
local NO_ISSUER = {code = "tls", text = "could not get X509-issuer name"}

-- Where libcurl gives another reason than the want of memory. All refuse, as they should.
local misreported = {
  -- 7.88: curl_url_set takes the reference for an absolute URL when it cannot rebuild the base.
  redirect = {{code = "redirect", text = "to an address that cannot be read"}},
  -- 7.88: the key could not be copied, and so does not match.
  mtls = {{code = "tls", text = "is none of those in pinnedKey"}, NO_ISSUER},
  tls = {NO_ISSUER},
}

local function is_want_of_memory(name, message, code)
  for _, excuse in ipairs(misreported[name] or {}) do
    if excuse.code == code and message:find(excuse.text, 1, true) then return true end
  end
  return want_of_memory[code]
end

local driver = {}
local tables = {}

-- `same`: with one table at all calls.
function driver.call(name, bank, file, same)
  if name == "put" then return call_with(put, bank, same) end
  if name == "pieces" then return call_with(move, bank, same) end
  if name == "json" then return call_json() end
  core.random = zero
  local given = same and tables[name] or scenarios[name](bank, file)
  if same then tables[name] = given end
  return auth.authenticate(given)
end

local function is_clean(text)
  return not (text:find(SECRET, 1, true) or text:find(TOKEN, 1, true)
    or text:find(os.getenv "SANDBOX_CLIENT_SECRET" or SECRET, 1, true))
end

local function judge_token(name, token)
  if name == "put" or name == "pieces" then
    return #token ~= 6000 and "not the whole body" or nil
  end
  if name == "json" then return token ~= JSON and "not the text that was read" or nil end
  if usual[name] then return "a token where there is none" end
  if token.tokenType ~= "Bearer" or token:header() ~= "Bearer " .. token.accessToken then
    return "not a bearer token"
  end
  if not (token:remaining() > 3000 and token:remaining() <= 3600) then return "wrong lifetime" end
  if not is_clean(tostring(token)) then return "tostring shows the token" end
  if os.getenv "SANDBOX_URL" and (name == "tls" or name == "mtls") then return nil end
  if token.accessToken ~= TOKEN or token.expirationTime ~= 4102444800000
    or token.tokenValiditySec ~= 3600 then
    return "not the bank's token"
  end
end

local function judge_problem(name, starved, message, problem)
  if type(message) ~= "string" or type(problem) ~= "table" or problem.message ~= message
    or type(problem.attempts) ~= "number" then
    return "no problem with its message"
  end
  local code = problem.code
  if code ~= usual[name] and not (starved and is_want_of_memory(name, message, code)) then
    return "the problem is " .. problem.code .. ": " .. message
  end
  if not is_clean(message) then return "the message shows a canary" end
  if name == "denied" and problem.code == "denied" then
    local blanked = '{"error":"no **************","token":"******"} '
    local body = problem:body()
    -- The status decides, also where memory for the body was missing.
    if body ~= blanked and not (starved and body == "") then
      return "the body is " .. tostring(body)
    end
  end
end

--- What is wrong with a call's results, or nil. `starved`: a memory failure was injected.
function driver.judge(name, starved, token, message, problem)
  if token then return judge_token(name, token) end
  return judge_problem(name, starved, message, problem)
end

return driver
