--- Parses dates in the form in which TLS libraries print them.

local MONTHS = {Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9,
  Oct = 10, Nov = 11, Dec = 12}

local calendar = {}

--- A certificate's date as epoch seconds: "Jan  1 00:00:00 2099 GMT" as OpenSSL writes
-- it, "2099-01-01 00:00:00 GMT" as libcurl does for GnuTLS.
---@param text string
---@return number? # epoch seconds
---@return string? # the day; os.date knows none after 2038 where its time has 32 bits
function calendar.epoch(text)
  local month, day, hour, minute, second, year =
    text:match("^%s*(%a%a%a)%s+(%d+) (%d+):(%d+):(%d+) (%d%d%d%d)")
  month = MONTHS[month]
  if not month then
    year, month, day, hour, minute, second =
      text:match("^%s*(%d%d%d%d)%-(%d%d)%-(%d%d) (%d+):(%d+):(%d+)")
  end
  if not year then return nil end
  local date = ("%04d-%02d-%02d"):format(year, month, day)
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  -- Days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that a
  -- leap day is the last day of one.
  if month <= 2 then year, month = year - 1, month + 12 end
  local leaps = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  local days = 365 * year + leaps + math.floor((153 * (month - 3) + 2) / 5) + day - 1 - 719468
  return days * 86400 + hour * 3600 + minute * 60 + second, date
end

return calendar
