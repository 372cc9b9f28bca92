-- R7: auth.json writes and reads numbers in the same way in every locale, also where the decimal
-- point is a comma, or has two bytes, as in Pashto.

local files = require "spec.support.files"
local quoted = files.quoted

local LOCALE = [[
comment_char %%
escape_char /
LC_NUMERIC
decimal_point "%s"
thousands_sep ""
grouping -1
END LC_NUMERIC
]]

local CHARACTERS = [[
<code_set_name> %s
<comment_char> %%
<escape_char> /
CHARMAP
<U0000> /x00 NULL
<U0041> /x41 A
%s POINT
END CHARMAP
]]

local SCRIPT = [[
local auth = require "corebank.auth"
-- Not earlier: a library that libcurl loads leaks memory when this is set.
require("corebank.auth.core").setenv("LOCPATH", arg[1])
local numbers = {19.95, 1e-7, 1e300, -2.5}
assert(os.setlocale("", "numeric"))
io.write(os.setlocale(nil, "numeric"), " ", auth.json.encode(numbers), " ")
local read = auth.json.decode "[19.95,1e-7,1e300,-2.500,12345678901234568]"
for i, number in ipairs(numbers) do assert(read[i] == number) end
assert(not auth.json.decode "12345678901234567890.12")
io.write "read"
]]

describe("in a locale with another point, auth.json", function()
  local folder

  setup(function() folder = files.new_folder() end)
  teardown(function() os.execute("rm -r " .. quoted(folder)) end)

  -- A locale that has nothing but this point: localedef misses the rest, and makes it.
  local function make(name, set, point)
    files.write(folder .. "/source", LOCALE:format(point:match "%S+"))
    files.write(folder .. "/characters", CHARACTERS:format(set, point))
    local into = folder .. "/" .. name
    files.output_of(("localedef -c -i %s -f %s %s"):format(quoted(folder .. "/source"),
      quoted(folder .. "/characters"), quoted(into)))
    return io.open(into .. "/LC_NUMERIC") ~= nil
  end

  for name, case in pairs{comma = {"ANSI_X3.4-1968", "<U002C> /x2c"},
    separator = {"UTF-8\n<mb_cur_max> 2", "<U066B> /xd9/xab"}} do
    it("writes and reads as ever: " .. name, function()
      if not make(name, case[1], case[2]) then return pending "there is no localedef" end
      files.write(folder .. "/script.lua", SCRIPT)
      assert.equal(name .. " [19.95,1e-07,1e+300,-2.5] read",
        files.output_of(("LC_ALL= LC_NUMERIC=%s %s %s %s"):format(name, os.getenv "CBA_LUA",
          quoted(folder .. "/script.lua"), quoted(folder))))
    end)
  end
end)
