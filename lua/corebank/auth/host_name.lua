--- What is wrong with a host name or a URL, and what to write in its place. Loaded when something
-- is.

local core = require "corebank.auth.core"

local LONGEST_LABEL = 63    -- RFC 1035, section 2.3.4

-- Letters that are sure to stay as they are in the ASCII form of a name (IDNA), and those of which
-- the small letter lies so many numbers further on. Of all others a table of Unicode's would know.
local letters = {
  {0xC0, 0xD6, 32}, {0xD8, 0xDE, 32}, {0xDF, 0xF6, 0}, {0xF8, 0xFF, 0},   -- Latin-1
  {0x391, 0x3A1, 32}, {0x3A3, 0x3A9, 32}, {0x3AC, 0x3CE, 0},              -- Greek
  {0x410, 0x42F, 32}, {0x430, 0x45F, 0},                                  -- Cyrillic
  {0x5D0, 0x5EA, 0}, {0x620, 0x64A, 0},                                   -- Hebrew, Arabic
  {0x3041, 0x3096, 0}, {0x30A1, 0x30FA, 0},                               -- Kana
  {0x4E00, 0x9FFF, 0}, {0xAC00, 0xD7A3, 0},                               -- Han, Hangul
}

-- In Latin Extended-A small and capital letters take turns: whether the small ones are even.
local pairs_of_letters = {{0x100, 0x12F, 1}, {0x132, 0x137, 1}, {0x139, 0x148, 0},
  {0x14A, 0x177, 1}, {0x179, 0x17E, 0}}

local function small(code)
  if code < 128 then return code end
  for _, range in ipairs(letters) do
    if code >= range[1] and code <= range[2] then return code + range[3] end
  end
  for _, range in ipairs(pairs_of_letters) do
    if code >= range[1] and code <= range[2] then
      return code % 2 == range[3] and code or code + 1
    end
  end
end

-- The characters of valid UTF-8 as numbers, in small letters; nil when one of them is not known.
local function codes_of(label)
  local codes = {}
  for character in label:gmatch "[%z\1-\127\194-\244][\128-\191]*" do
    -- of a lead byte counts what follows the ones that say how many bytes there are
    local code = character:byte(1) % (#character == 1 and 0x80 or 2 ^ (7 - #character))
    for i = 2, #character do code = code * 64 + character:byte(i) % 64 end
    code = small(code)
    if not code then return nil end
    codes[#codes + 1] = code
  end
  return codes
end

-- ---- Punycode: RFC 3492, section 6.3, with the parameters of section 5 ------------------------

local BASE, T_MIN, T_MAX, SKEW, DAMP, FIRST_BIAS, FIRST_CODE = 36, 1, 26, 38, 700, 72, 128

local function digit(value)
  return string.char(value < 26 and value + 97 or value - 26 + 48)
end

local function adapt(delta, count, is_first)
  delta = is_first and math.floor(delta / DAMP) or math.floor(delta / 2)
  delta = delta + math.floor(delta / count)
  local k = 0
  while delta > (BASE - T_MIN) * T_MAX / 2 do
    delta = math.floor(delta / (BASE - T_MIN))
    k = k + BASE
  end
  return k + math.floor((BASE - T_MIN + 1) * delta / (delta + SKEW))
end

local function put_number(out, number, bias)
  local k = BASE
  while true do
    local t = math.max(T_MIN, math.min(T_MAX, k - bias))
    if number < t then break end
    out[#out + 1] = digit(t + (number - t) % (BASE - t))
    number = math.floor((number - t) / (BASE - t))
    k = k + BASE
  end
  out[#out + 1] = digit(number)
end

local function least_above(codes, floor)
  local least = math.huge
  for _, code in ipairs(codes) do
    if code >= floor and code < least then least = code end
  end
  return least
end

local function punycode(codes)
  local out = {}
  for _, code in ipairs(codes) do
    if code < FIRST_CODE then out[#out + 1] = string.char(code) end
  end
  local basic = #out
  local done = basic
  if basic > 0 then out[#out + 1] = "-" end
  local n, delta, bias = FIRST_CODE, 0, FIRST_BIAS
  while done < #codes do
    local least = least_above(codes, n)
    delta, n = delta + (least - n) * (done + 1), least
    for _, code in ipairs(codes) do
      if code < n then delta = delta + 1 end
      if code == n then
        put_number(out, delta, bias)
        bias = adapt(delta, done + 1, done == basic)
        delta, done = 0, done + 1
      end
    end
    delta, n = delta + 1, n + 1
  end
  return table.concat(out)
end

-- ---- names ------------------------------------------------------------------------------------

-- The name in ASCII; nil when it takes tables of Unicode's to tell.
local function ascii(host)
  local labels = {}
  for label in (host .. "."):gmatch "([^.]*)%." do
    if label:find "[\128-\255]" then
      local codes = codes_of(label)
      if not codes then return nil end
      label = "xn--" .. punycode(codes)
    end
    labels[#labels + 1] = label
  end
  return table.concat(labels, ".")
end

local host_name = {}

--- What is wrong with the host of a URL. Nobody can be sure that this libcurl, in this locale,
-- translates a name that is not in ASCII: most do not.
---@param host string
---@return string? reason
function host_name.fault(host)
  if not core.characters(host) then return "must have a host name that is valid UTF-8" end
  if core.printable(host) ~= host or host:find " " then
    return "must have a host name without white space and other invisible characters"
  end
  if host:find "[\128-\255]" then
    local form = ascii(host)
    return ("must have its host name in ASCII: for %s write %s"):format(core.printable(host),
      form or "the form that begins with xn--")
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
---@param text string
---@return string
function host_name.no_url(text)
  local _, ends = core.outside(text)
  if ends then return "; it " .. ends end
  if not text:find "://" then return ", and begin with https://" end
  if text:find "^%a[%w+.-]*://%[[^%]/]*%%" then return ", without the zone of an IPv6 address" end
  if text:find "[%c%s]" then return ", without white space and control characters" end
  return ""
end

return host_name
