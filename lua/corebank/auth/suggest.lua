--- The nearest known option to an unknown one. Loaded when somebody makes that mistake.

-- What other libraries call our options, and what people look for that is not there.
local elsewhere = {
  url = "baseUrl", host = "baseUrl", secret = "clientSecret", id = "clientId", ca = "caFile",
  cert = "clientCert", key = "clientKey", pin = "pinnedKey", retries = "attempts",
  verify = "caFile", sslverify = "caFile", insecure = "caFile", tls = "minTls",
}

local NEVER_OFF = {verify = true, sslverify = true, insecure = true}

-- How many single-character edits lead from a to b (Levenshtein).
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
    end
  end
  return row[#b]
end

--- What to say of an option that there is not.
---@param name any
---@param options table[] the list of options
---@return string
return function(name, options)
  if type(name) ~= "string" then
    return ("options must be named, but there is a key of type %s"):format(type(name))
  end
  local wanted = name:lower():gsub("[_%-]", "")
  name = name:gsub("%c", "?"):sub(1, 40)   -- whatever was taken for a name
  local best, nearest, off = math.huge, nil, false
  local function consider(word, option)
    local d = distance(wanted, word)
    -- On a tie the name that sorts first, so that the message does not depend on table order.
    if d < best or d == best and option < nearest then
      best, nearest, off = d, option, NEVER_OFF[word]
    end
  end
  for _, option in ipairs(options) do consider(option.name:lower(), option.name) end
  for word, option in pairs(elsewhere) do consider(word, option) end
  if off then
    return ("unknown option '%s'; verification cannot be switched off, but %s names whom to trust")
      :format(name, nearest)
  end
  return ("unknown option '%s'; did you mean '%s'?"):format(name, nearest)
end
