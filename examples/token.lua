-- Gets one token and shows it. COREBANK_BASE_URL, COREBANK_CLIENT_ID and COREBANK_CLIENT_SECRET say
-- where and as whom, COREBANK_CA_FILE, if set, whom to trust.
local auth = require "corebank.auth"

local token = assert(auth.authenticate{})

print("redacted  " .. tostring(token))
print("token     " .. token.accessToken)
print("type      " .. token.tokenType)
print("ends      " .. os.date("%Y-%m-%d %H:%M:%S", math.floor(token:expiresAt())))
