-- The command, with its own .curlrc left out. Its `start` is the command without a request.
local here = ...

local credentials = ('{"clientId":"%s","clientSecret":"%s"}'):format(
  here.setting "COREBANK_CLIENT_ID", here.setting "COREBANK_CLIENT_SECRET")

-- $1 of them, $2 at a time. With --silent alone it would draw a meter all the same.
local MANY = [[
  exec curl --disable --no-progress-meter --fail --cacert "$COREBANK_CA_FILE" \
    --header "Content-Type: application/json" --data "$0" --output /dev/null \
    --parallel --parallel-max "$2" "$COREBANK_BASE_URL/api/auth/v1/authenticate?[1-$1]"
]]

-- The same of requests, with one token for all of them.
local GET_MANY = [[
  token=$(curl --disable --silent --fail --cacert "$COREBANK_CA_FILE" \
    --header "Content-Type: application/json" --data "$0" \
    "$COREBANK_BASE_URL/api/auth/v1/authenticate" | sed 's/.*"accessToken":"\([^"]*\).*/\1/')
  exec curl --disable --no-progress-meter --fail --cacert "$COREBANK_CA_FILE" --compressed \
    --header "Authorization: Bearer $token" --output /dev/null \
    --parallel --parallel-max "$2" "$COREBANK_BASE_URL$BENCH_GET&[1-$1]"
]]

return {{
  title = "curl", kind = "command",
  version = {"sh", "-c", "command -v curl >/dev/null || { echo there is no curl; exit 1; }; "
    .. "curl --version | grep -oE '^curl [^ ]+|(OpenSSL|GnuTLS)[^ ]+' | paste -sd ' '"},
  once = {"curl", "--disable", "--silent", "--show-error", "--fail",
    "--cacert", here.setting "COREBANK_CA_FILE", "--header", "Content-Type: application/json",
    "--data", credentials, here.setting "COREBANK_BASE_URL" .. "/api/auth/v1/authenticate"},
  many = {"sh", "-c", MANY, credentials},
  ["get-many"] = {"sh", "-c", GET_MANY, credentials},
  start = {"curl", "--disable", "--version"},
}}
