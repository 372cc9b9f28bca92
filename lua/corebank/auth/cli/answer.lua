--- Prints the API's answer, for the command `request`.

local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"
local output = require "corebank.auth.cli.output"
local wording = require "corebank.auth.cli.wording"

local answer = {}

-- The problem code, and so the exit status, for an answer that is not 2xx.
local function code_of(status)
  if status == 401 or status == 403 then return "denied" end
  if status == 429 then return "limited" end
  if status >= 500 then return "server" end
  return status >= 300 and status < 400 and "redirect" or "status"
end

-- The body for a terminal: text without control characters; nil when the body is not text.
local function readable(body)
  if body:find("\0", 1, true) or not core.characters(body) then return nil end
  local text = body:gsub("\r\n", "\n"):gsub("[^\n\t]+", core.printable)
  return text:find "[^\n]$" and text .. "\n" or text
end

-- The status, and the headers as the API sent them.
local function head_of(reply)
  return ("HTTP %d\n%s\n"):format(reply.status, reply.headerLines)
end

--- Prints the body, unless it was printed while it arrived.
function answer.print(reply, include)
  local head, body = include and head_of(reply) or "", reply.body or ""
  if not core.is_terminal(1) then return output.print(head .. body) end
  local text = readable(body)
  output.print(output.readable(head) .. (text or ""))
  if not text then
    exits.stop(exits.USAGE, ("the answer is binary, and a terminal cannot show it: %d bytes; "
      .. "--output FILE writes it into a file"):format(#body))
  end
end

--- Says on the standard error that the status is not 2xx.
---@return integer # the exit status
function answer.tell_status(reply)
  local message = ("the API answers %d"):format(reply.status)
  local seconds = tonumber(reply.headers["retry-after"])   -- a date is not shown
  if reply.requestId then
    message = ("%s; for the bank this is request %s"):format(message, reply.requestId)
  end
  if seconds then message = ("%s\ntry again in %.0f s"):format(message, seconds) end
  output.tell(message)
  return exits.of(code_of(reply.status))
end

--- Ends the command because there is no answer.
function answer.fail(problem, isRepeatable)
  if problem.sent == "no" or isRepeatable then return wording.fail(problem) end
  exits.stop(exits.of(problem.code), wording.message(problem) .. "\nthe request may have been "
    .. "carried out: look before you send it again")
end

return answer
