--- A token as text for other programs. It needs no escapes in JSON or a shell's quotes: its
-- characters are those of RFC 6750's b64token.

local formats = {}

function formats.token(token)
  return token.accessToken .. "\n"
end

function formats.header(token)
  return "Authorization: " .. token:header() .. "\n"
end

function formats.json(token)
  local members = {('"accessToken":"%s","tokenType":"%s"'):format(token.accessToken,
    token.tokenType)}
  for _, name in ipairs{"expirationTime", "tokenValiditySec"} do
    if token[name] then members[#members + 1] = ('"%s":%.0f'):format(name, token[name]) end
  end
  members[#members + 1] = ('"expiresAt":%d'):format(math.floor(token:expiresAt()))
  return "{" .. table.concat(members, ",") .. "}\n"
end

--- The environment variables of a program that exec runs.
function formats.variables(token)
  return {
    {"COREBANK_ACCESS_TOKEN", token.accessToken}, {"COREBANK_TOKEN_TYPE", token.tokenType},
    {"COREBANK_TOKEN_EXPIRES_AT", ("%d"):format(math.floor(token:expiresAt()))},
  }
end

local function lines(token, form)
  local list = {}
  for _, variable in ipairs(formats.variables(token)) do
    list[#list + 1] = form:format(variable[1], variable[2])
  end
  return table.concat(list)
end

--- For eval.
function formats.env(token)
  return lines(token, "export %s='%s'\n")
end

--- For env files. Without quotes: docker's --env-file takes them for a part of the value.
function formats.dotenv(token)
  return lines(token, "%s=%s\n")
end

return formats
