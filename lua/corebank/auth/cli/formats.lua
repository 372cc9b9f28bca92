--- A token as text for other programs.

local formats = {}

---@param token corebank.auth.Token
---@return string
function formats.token(token)
  return token.accessToken .. "\n"
end

function formats.header(token)
  return "Authorization: " .. token:header() .. "\n"
end

-- What is in a token needs no escapes: its characters are those of RFC 6750's b64token.
function formats.json(token)
  local members = {
    ('"accessToken":"%s"'):format(token.accessToken),
    ('"tokenType":"%s"'):format(token.tokenType),
  }
  for _, name in ipairs{"expirationTime", "tokenValiditySec"} do
    if token[name] then members[#members + 1] = ('"%s":%.0f'):format(name, token[name]) end
  end
  members[#members + 1] = ('"expiresAt":%d'):format(math.floor(token:expiresAt()))
  return "{" .. table.concat(members, ",") .. "}\n"
end

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

function formats.env(token)
  return ("export COREBANK_ACCESS_TOKEN=%s\nexport COREBANK_TOKEN_TYPE=%s\n"
    .. "export COREBANK_TOKEN_EXPIRES_AT=%d\n"):format(quoted(token.accessToken),
    quoted(token.tokenType), math.floor(token:expiresAt()))
end

return formats
