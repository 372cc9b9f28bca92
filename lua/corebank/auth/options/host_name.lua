--- Finds mistakes in host names and URLs, and says what to write instead.

local core = require "corebank.auth.core"

local LONGEST_LABEL = 63    -- RFC 1035, section 2.3.4

local host_name = {}

--- What is wrong with the host of a URL. Nobody can be sure that this libcurl, in this locale,
-- translates a name that is not in ASCII: most do not.
---@return string? reason
function host_name.fault(host)
  if not core.characters(host) then return "must have a host name that is valid UTF-8" end
  if core.printable(host) ~= host or host:find " " then
    return "must have a host name without white space and other invisible characters"
  end
  if host:find "[\128-\255]" then
    return ("must have its host name in ASCII: write the form of %s that begins with xn--, which "
      .. "`idn2 %s` prints"):format(host, host)
  end
  if host:find "^%[" then return nil end
  if host:find "%.%." or host:find "^%." then
    return "must have a host name without an empty part between its dots"
  end
  for label in host:gmatch "[^.]+" do
    if #label > LONGEST_LABEL then
      return ("must have a host name whose parts have at most %d characters"):format(LONGEST_LABEL)
    end
  end
end

--- Why text is no URL, to be appended to that it must be one.
function host_name.no_url(text)
  local _, ends = core.outside(text)
  if ends then return "; it " .. ends end
  if not text:find "://" then return ", and begin with https://" end
  if text:find "^%a[%w+.-]*://%[[^%]/]*%%" then return ", without the zone of an IPv6 address" end
  if text:find "[%c%s]" then return ", without white space and control characters" end
  return ""
end

return host_name
