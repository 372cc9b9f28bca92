-- The man page says what --help says, and groff shows it without a warning.

-- What runs here is the same under every Lua.
if os.getenv "CBA_BUILD" ~= "lua5.4" then
  return
end

local about = require "corebank.auth.cli.about"
local exits = require "corebank.auth.cli.exits"
local files = require "spec.support.files"
local flags = require "corebank.auth.cli.flags"

local lines_of = files.lines_of

describe("docs/corebank-auth.1", function()
  local page = files.content "docs/corebank-auth.1"
  -- As a terminal shows it, without bold type; pauses between words are one space.
  local shown = lines_of "groff -man -Tascii -P-c -P-b -P-u docs/corebank-auth.1"
  local words = table.concat(shown, " "):gsub("%s+", " ")

  it("is what script/man makes of the words of --help", function()
    local made = table.concat(lines_of "lua5.4 script/man", "\n") .. "\n"
    assert.is_true(made == page, "the words have changed: script/man >docs/corebank-auth.1")
  end)

  it("is shown without a warning", function()
    assert.same({"0"}, lines_of "groff -ww -z -man -Tascii docs/corebank-auth.1 2>&1; echo $?")
  end)

  it("has the sections of a man page, in their order", function()
    local sections = {}
    for name in page:gmatch "\n%.SH ([^\n]+)" do sections[#sections + 1] = name end
    assert.same({"NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "ENVIRONMENT",
      "EXIT STATUS", "FILES", "EXAMPLES", "SECURITY", "SEE ALSO"}, sections)
  end)

  it("shows each command, flag, variable, exit status and example as it is typed", function()
    local function has(text)
      assert.is_truthy(words:find((text:gsub("%s+", " ")), 1, true), text)
    end
    for _, name in ipairs(flags.commands) do
      has(about.usage(name))
      for _, example in ipairs(about.examples[name]) do has(example) end
    end
    for _, flag in ipairs(flags.list) do has((" %s "):format(flag.flag)) end
    for _, variable in ipairs(about.environment) do has(variable[1]) end
    for _, status in ipairs(exits.list) do has((" %d %s "):format(status[1], status[2])) end
  end)
end)
