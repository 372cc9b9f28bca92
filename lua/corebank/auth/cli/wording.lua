--- Makes messages about problems and mistakes for users of the command: with flags in place of
-- options, and with what to do next. Loaded only when there is such a message.

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
function wording.spoken(text)
  text = text:gsub("baseUrl and path", "--base-url and --path")
    :gsub("raise timeout", "raise --timeout")
    :gsub("larger than maxBytes %((%d+)%); raise it, or use into",
      "larger than %1 bytes; use --output FILE, or a pipe without --include")
    :gsub("problem:body%(%) has", "corebank-auth doctor --show-answer prints")
  for _, flag in ipairs(flags.list) do
    if flag.isOption then text = replace(text, flag.name, flag.flag) end
  end
  text = text:gsub("auth%.secret%.file%(path, {anyMode = true}%)", "--any-secret-mode")
  text = replace(text, "clientSecret", "the client secret")
  return replace(text, "clientKeyPassword", "--key-password-file")
end

--- What to do about a problem; nil when its message says so.
function wording.hint(problem)
  if problem.retryAfter then return ("try again in %.0f s"):format(problem.retryAfter) end
  if problem.code == "too_large" and problem.sent then return nil end   -- the API's answer
  return HINTS[problem.code]
end

--- A problem's message, and the request id by which the bank knows the request.
function wording.message(problem)
  local message = wording.spoken(problem.message)
  if not problem.requestId then return message end
  return ("%s; for the bank this is request %s"):format(message, problem.requestId)
end

--- Ends the command because there is no token.
function wording.fail(problem)
  local message, advice = wording.message(problem), {wording.hint(problem)}
  if problem.remembered then message = message .. "; remembered, nothing was sent" end
  if ON_THE_WAY[problem.code] and not problem.retryAfter then advice[#advice + 1] = DOCTOR end
  if advice[1] then message = message .. "\n" .. table.concat(advice, "; ") end
  exits.stop(exits.of(problem.code), message)
end

--- Ends the command because of a mistake in its options.
function wording.stop_for(mistake)
  exits.stop(exits.USAGE, wording.spoken(mistake))
end

return wording
