--- Messages about problems and mistakes, in the words of the command line, with what to do next.
-- Loaded when there is one.

local exits = require "corebank.auth.cli.exits"
local flags = require "corebank.auth.cli.flags"

-- What to do next, for codes whose messages do not say so.
local HINTS = {
  resolve = "check --base-url", timeout = "try again", network = "try again",
  limited = "try again later", server = "try again later",
  too_large = "check --base-url and --path",
}

local DOCTOR = "corebank-auth doctor, with the same options, finds out where it fails"

-- The codes for which DOCTOR is appended.
local ON_THE_WAY = {resolve = true, connect = true, proxy = true, tls = true, timeout = true,
  network = true}

local wording = {}

-- Replaces an option's name that stands on its own. A name without a capital, such as "path", is
-- also a plain word: it is taken for a name only at the beginning.
local function replace(text, name, word)
  local start = name:find("%u") and "%f[%w]" or "^"
  return (text:gsub(start .. name .. "%f[^%w]", word))
end

--- A message about options, in the words of the command line.
---@param text string
---@return string
function wording.spoken(text)
  text = text:gsub("baseUrl and path", "--base-url and --path")
    :gsub("raise timeout", "raise --timeout")
    :gsub("problem:body%(%) has", "corebank-auth doctor --show-answer prints")
  for _, flag in ipairs(flags.list) do
    if flag.isOption then text = replace(text, flag.name, flag.flag) end
  end
  text = text:gsub("auth%.secret%.file%(path, {anyMode = true}%)", "--any-secret-mode")
  text = replace(text, "clientSecret", "the client secret")
  return replace(text, "clientKeyPassword", "--key-password-file")
end

--- What to do about a problem, if its message does not say so.
---@param problem corebank.auth.Problem
---@return string? hint
function wording.hint(problem)
  if problem.retryAfter then return ("try again in %.0f s"):format(problem.retryAfter) end
  return HINTS[problem.code]
end

--- A problem's message, and the request id by which the bank knows the request.
---@param problem corebank.auth.Problem
---@return string
function wording.message(problem)
  local message = wording.spoken(problem.message)
  if not problem.requestId then return message end
  return ("%s; for the bank this is request %s"):format(message, problem.requestId)
end

--- Ends the command because there is no token.
---@param problem corebank.auth.Problem
function wording.fail(problem)
  local lines = {wording.message(problem)}
  if problem.remembered then
    lines[1] = lines[1] .. "; remembered, nothing was sent"
  end
  local hint = wording.hint(problem)
  local doctor = ON_THE_WAY[problem.code] and not problem.retryAfter and DOCTOR or nil
  lines[2] = hint and doctor and hint .. "; " .. doctor or hint or doctor
  exits.stop(exits.of(problem.code), table.concat(lines, "\n"))
end

--- Ends the command because of a mistake in its options.
---@param mistake string
function wording.stop_for(mistake)
  exits.stop(exits.USAGE, wording.spoken(mistake))
end

--- The status and the message for an error that was raised. A bug's message has a traceback: names
-- of functions and line numbers, no values.
---@param fault string
---@return {status: integer, message: string}
function wording.trace(fault)
  local status, message = exits.MACHINE, fault
  if fault:find("interrupted!$") then
    status, message = exits.INTERRUPTED, "interrupted"
  elseif not fault:find("not enough memory$") then
    message = "this is a bug: " .. debug.traceback(fault, 3)
  end
  return {status = status, message = message}
end

return wording
