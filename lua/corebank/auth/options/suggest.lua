--- Finds the known option nearest to an unknown one. Loaded only when there is an unknown option.

local core = require "corebank.auth.core"

-- What other libraries call our options, and what people look for that is not there.
local elsewhere = {
  url = "baseUrl", host = "baseUrl", secret = "clientSecret", id = "clientId", ca = "caFile",
  cert = "clientCert", key = "clientKey", pin = "pinnedKey", retries = "attempts",
  password = "clientSecret", user = "clientId", username = "clientId", cacert = "caFile",
  verify = "caFile", sslverify = "caFile", insecure = "caFile", tls = "minTls",
}

local NEVER_OFF = {verify = true, sslverify = true, insecure = true}

local MEANT = "; did you mean '%s'?"
local TRUSTED = "; verification cannot be switched off, but %s names the authorities to trust"

-- Names of request headers, which belong into the option `headers`.
local HEADERS = {
  authorization = true, useragent = true, apikey = true, accept = true, acceptlanguage = true,
  acceptencoding = true, contenttype = true, contentlength = true, cookie = true, origin = true,
  referer = true, forwarded = true, cachecontrol = true, connection = true, requestid = true,
  correlationid = true, traceparent = true, tracestate = true, idempotencykey = true,
  subscriptionkey = true, tenant = true, tenantid = true, header = true,
}

-- What never takes a path, for that would be sent as the secret.
local SECRETS = {clientSecret = true, clientKeyPassword = true}

local LONGEST_SHOWN = 40      -- bytes of whatever was taken for a name
local SHORT = 4               -- characters of a word that is met exactly or not at all
local LEAST_CONTAINED = 5     -- characters of a name that is recognised within another

local suggest = {}

local function bare(name)
  return (name:lower():gsub("[_%-]", ""))
end

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

-- How far a name is from a word; nil when the two have little to do with each other. Of two that
-- are as many edits away the one of the same length is nearer: letters get swapped.
local function closeness(wanted, word)
  if wanted == word then return 0 end
  if #word >= LEAST_CONTAINED and wanted:find(word, 1, true) then
    return (#wanted - #word) / 3
  end
  if #word <= SHORT and #wanted <= SHORT then return nil end
  local d = distance(wanted, word)
  if d > math.min(#wanted, #word) / 3 then return nil end
  return d + math.abs(#wanted - #word) / 100
end

--- The option that somebody may have meant by a name that there is not.
---@param name string
---@param options {name: string}[] those that there are
---@return table? nearest the element of `options`; nil: none is near
---@return string hint to be appended to a message; %s in it is for the name of `nearest`
function suggest.nearest(name, options)
  local wanted = bare(name:sub(1, 2 * LONGEST_SHOWN))
  local best, nearest, hint = math.huge, nil, MEANT
  local function consider(word, option)
    local d = closeness(wanted, word)
    -- On a tie the name that sorts first, so that the message does not depend on table order.
    if d and (d < best or d == best and option.name < nearest.name) then
      best, nearest, hint = d, option, NEVER_OFF[word] and TRUSTED or MEANT
    end
  end
  local known = {}
  for _, option in ipairs(options) do
    known[option.name] = known[option.name] or option
    consider(bare(option.name), option)
  end
  for word, option in pairs(elsewhere) do
    if known[option] then consider(word, known[option]) end
  end
  -- X-Api-Key, x_api_key, xApiKey, Accept-Charset, apiKey: as headers are written, and no option.
  local isHeader = HEADERS[bare(name)] or name:find "^[xX][%-_%u]" or name:find "^%u%l+%-%u%l+"
  if best > 0 and known.headers and isHeader then return known.headers, MEANT end
  return nearest, hint
end

--- What to say of an option that there is not.
---@param name any
---@param options {name: string}[] those that there are
---@param page string? the page that lists them
function suggest.mistake(name, options, page)
  if type(name) ~= "string" then
    return ("options must be named, but there is a key of type %s"):format(type(name))
  end
  local nearest, hint = suggest.nearest(name, options)
  local unknown = ("unknown option '%s'"):format(core.printable(name:sub(1, LONGEST_SHOWN)))
  if not nearest then
    return ("%s; %s lists the options"):format(unknown, page or "docs/options.md")
  end
  local message = unknown .. hint:format(nearest.name)
  if nearest.name == "headers" then
    return message .. " It takes request headers by their names"
  elseif SECRETS[nearest.name] and name:lower():find "file$" then
    return message .. " Its value may be auth.secret.file(path)"
  end
  return message
end

return suggest
