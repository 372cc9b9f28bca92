--- The command doctor: runs one check after the other, a line for each, until one fails.

local checks_here = require "corebank.auth.cli.checks_here"
local checks_there = require "corebank.auth.cli.checks_there"
local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"
local output = require "corebank.auth.cli.output"

local RED, GREEN, YELLOW = 31, 32, 33

local function painter()
  if not core.is_terminal(1) or (os.getenv "NO_COLOR" or "") ~= "" then
    return function(text) return text end
  end
  return function(text, color) return ("\27[%dm%s\27[0m"):format(color, text) end
end

-- Runs a check, which returns a text and maybe a warning, and prints its line. One that ends the
-- command has failed: returns the exit status then.
local function run(check, state, paint)
  local function print_line(word, color, text)
    output.print(("%s%s%-8s  %s\n"):format(paint(word, color), (" "):rep(8 - #word), check[1],
      output.readable(text)))
  end
  local ok, text, warning = pcall(check[2], state)
  if not ok then
    if type(text) ~= "table" or text.status == exits.INTERRUPTED then error(text, 0) end
    print_line("failed", RED, text.message)
    return text.status
  end
  if text ~= "" then print_line("ok", GREEN, text) end
  if warning then print_line("warning", YELLOW, warning) end
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
---@return integer # the exit status
return function(words)
  local paint = painter()
  local state = {words = words}
  for _, checks in ipairs{checks_here, checks_there} do
    for _, check in ipairs(checks) do
      local status = run(check, state, paint)
      if status then
        if words.showAnswer and state.problem then show_answer(state.problem) end
        return status
      end
    end
  end
  return exits.SUCCESS
end
