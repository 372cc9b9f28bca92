-- Calls the bank's API with the token that all jobs of this user share, and once more with the next
-- one when the API rejects it. COREBANK_BASE_URL, COREBANK_CLIENT_ID and COREBANK_CLIENT_SECRET say
-- where and as whom; COREBANK_CA_FILE, if set, whom to trust. The API is called by curl: any HTTP
-- client will do.
local auth = require "corebank.auth"

local bank = auth.client{store = auth.store.file()}

-- A word for the shell, whatever is in it.
local function quoted(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

-- The status and the body of what the API answers. The token goes to curl's standard input: a
-- command line can be seen by every user of the machine.
local function get(path, token)
  local answer = os.tmpname()
  local curl = assert(io.popen([[curl --silent --show-error --max-time 10 --header @- \
    ${COREBANK_CA_FILE:+--cacert "$COREBANK_CA_FILE"} --write-out '\n%{http_code}' \
    "$COREBANK_BASE_URL"]] .. quoted(path) .. " >" .. quoted(answer), "w"))
  curl:write("Authorization: ", token:header(), "\n")
  curl:close()
  local file = assert(io.open(answer, "rb"))
  local body, status = file:read("*a"):match "^(.*)\n(%d+)$"
  file:close()
  os.remove(answer)
  return tonumber(status), body
end

-- Whatever was answered 401 was not done, so it can be repeated: once, and only with another token.
-- There is none when another one was rejected seconds ago, or when the bank gives none.
local function call(path)
  local token = assert(bank:token())
  local status, body = get(path, token)
  if status ~= 401 then return status, body end
  bank:invalidate(token)
  local another = assert(bank:token())
  if another:header() == token:header() then return status, body end
  return get(path, another)
end

local status, body = call(arg[1] or "/api/accounts/v1/accounts")
bank:settle()   -- a refresh in flight would be lost
if status == 200 then
  print(body)
else
  local answer = status and status > 0 and "the API answers " .. status or "the API does not answer"
  io.stderr:write(answer, "; token of ", tostring(bank:explain()), "\n")
  os.exit(1)
end
