-- The command, with its own .curlrc left out. Its `start` is the command without a request.
local here = ...

local credentials = ('{"clientId":"%s","clientSecret":"%s"}'):format(
  here.setting "COREBANK_CLIENT_ID", here.setting "COREBANK_CLIENT_SECRET")

return {{
  title = "curl", kind = "command",
  version = {"sh", "-c",
    "curl --version | grep -oE '^curl [^ ]+|(OpenSSL|GnuTLS)[^ ]+' | paste -sd ' '"},
  once = {"curl", "--disable", "--silent", "--show-error", "--fail",
    "--cacert", here.setting "COREBANK_CA_FILE", "--header", "Content-Type: application/json",
    "--data", credentials, here.setting "COREBANK_BASE_URL" .. "/api/auth/v1/authenticate"},
  start = {"curl", "--disable", "--version"},
}}
