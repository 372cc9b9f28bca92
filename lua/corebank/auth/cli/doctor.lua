--- The command doctor: runs the checks in turn, prints a line for each, and stops at a failure.

local checks_here = require "corebank.auth.cli.checks_here"
local checks_there = require "corebank.auth.cli.checks_there"
local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"
local output = require "corebank.auth.cli.output"

local COLORS = {failed = 31, ok = 32, warning = 33}   -- red, green, yellow

local function print_line(state, verdict, check, text)
  local shown = state.hasColors and ("\27[%dm%s\27[0m"):format(COLORS[verdict], verdict) or verdict
  output.print(("%s%s%-8s  %s\n"):format(shown, (" "):rep(8 - #verdict), check[1],
    output.readable(text)))
end

-- Runs a check, which returns a text and maybe a warning, and prints its line. One that ends the
-- command has failed: returns the exit status then.
local function run(check, state)
  local ok, text, warning = pcall(check[2], state)
  if not ok then
    if type(text) ~= "table" or text.status == exits.INTERRUPTED then error(text, 0) end
    print_line(state, "failed", check, text.message)
    return text.status
  end
  if text ~= "" then print_line(state, "ok", check, text) end
  if warning then print_line(state, "warning", check, warning) end
end

-- Prints the bank's answer with secrets blanked, each line indented.
local function show_answer(problem)
  local body = problem:body()
  if not body or not body:find "%S" then
    return output.print "        the bank's answer holds nothing to show: empty, or no text\n"
  end
  output.print "        the bank's answer, its first 4 KiB at most, secrets blanked:\n"
  body = body:gsub("\r\n", "\n"):gsub("\t", "  "):gsub("\n*$", "\n")
  for line in body:gmatch "([^\n]*)\n" do
    output.print(output.readable(("        | %s\n"):format(line)))
  end
end

---@param words table from arguments.read
---@return integer? # the exit status; nil: all is well
return function(words)
  local state = {words = words,
    hasColors = core.is_terminal(1) and (os.getenv "NO_COLOR" or "") == ""}
  for _, checks in ipairs{checks_here, checks_there} do
    for _, check in ipairs(checks) do
      local status = run(check, state)
      if status then
        if words.showAnswer and state.problem then show_answer(state.problem) end
        return status
      end
    end
  end
end
