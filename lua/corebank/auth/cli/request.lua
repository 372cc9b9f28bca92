--- The command `request`: sends a request with the token, and prints the answer.

local answer = require "corebank.auth.cli.answer"
local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"
local from_words = require "corebank.auth.cli.from_words"
local output = require "corebank.auth.cli.output"
local progress = require "corebank.auth.cli.progress"
local request_words = require "corebank.auth.cli.request_words"
local requests = require "corebank.auth.client.requests"
local wording = require "corebank.auth.cli.wording"

-- A device or a pipe is not replaced by a file. The pieces are written into it.
local function write_to_device(path)
  local file, reason = io.open(path, "wb")
  if not file then exits.stop(exits.USAGE, "--output cannot be written: " .. reason) end
  file:setvbuf "no"
  return function(piece)
    local ok, fault = file:write(piece)
    if not ok then exits.stop(exits.MACHINE, "cannot write --output: " .. fault) end
  end
end

-- Where the body of a 2xx goes while it arrives; nil if it is printed when it is complete.
local function destination(words)
  local path = words.output
  if path and path ~= "-" then
    -- /dev/stdout may be a link to a file, which another file must not replace.
    local isDevice = path:find "^/dev/" or core.file_mode(path) and not core.file_stamp(path)
    return isDevice and write_to_device(path) or path
  end
  return not words.include and not core.is_terminal(1) and output.print or nil
end

-- The size of the body in bytes, if the answer says it.
local function size_of(transfer)
  local lines = "\n" .. tostring(transfer:headers()):lower()
  -- With an encoding, Content-Length is the size of the encoded body.
  if lines:find("\ncontent-encoding:", 1, true) then return nil end
  return tonumber(lines:match "\ncontent%-length: ([^\n]*)")
end

-- Shows how much of the body has arrived. Returns a function that removes the line.
local function show_progress(call)
  local show, clear = progress.new()
  local sink = call.request.sink
  if not show or not sink or core.is_terminal(1) and type(sink.path) ~= "string" then
    return function() end
  end
  local done, size = 0, nil
  local take = sink.take
  function sink:take(piece)
    if done == 0 then size = size_of(call.transfer) end   -- once: after a piece nothing is repeated
    take(self, piece)
    done = done + #piece
    show(done, size)
  end
  return clear
end

-- The command's words for the fields of a request.
local WORDS = {into = "--output", headers = "--header", path = "PATH", url = "PATH",
  body = "--data", method = "--method", query = "--query"}

local function in_flags(mistake)
  local text = mistake:gsub("; url takes a whole URL$", ", or be a whole URL")
  return wording.spoken((text:gsub("^%l+", WORDS)))
end

local function open_call(bank, words)
  local request = request_words(words)
  request.into = destination(words)
  local call, mistake = requests.new(bank, request)
  if not call then
    exits.stop(exits.USAGE, in_flags(mistake))
  end
  return call
end

-- The reply; ends the command when there is none.
local function perform(call)
  local clear = show_progress(call)
  local ok, reply, _, problem = pcall(call.run, call)
  clear()
  call:close()
  if not ok then error(reply, 0) end
  if not reply then answer.fail(problem, call.request.isRepeatable) end
  return reply
end

-- Prints the reply. Returns the exit status.
local function show(reply, words)
  local mustSucceed = words.fail or words.output
  if reply.ok or not mustSucceed then answer.print(reply, words.include) end
  if reply.ok then return nil end
  local status = answer.tell_status(reply)
  return mustSucceed and status or nil
end

return function(words)
  local bank = from_words.client(words)
  local reply = perform(open_call(bank, words))
  local ok, status = pcall(show, reply, words)
  bank:settle()   -- else a refresh in flight is lost, and other processes wait for it
  bank:close()
  if not ok then error(status, 0) end
  return status
end
