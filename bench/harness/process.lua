--- Commands, as lists of words.

local files = require "spec.support.files"

local process = {}

--- For a shell.
function process.quoted(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = files.quoted(tostring(word)) end
  return table.concat(quoted, " ")
end

local function start(words)
  return assert(io.popen(process.quoted(words) .. " 2>&1"))
end

local function finish(pipe)
  local output = pipe:read "*a"
  return output, pipe:close()
end

--- All that it says on either output; and what os.execute returns, whether it succeeded first.
function process.try(words)
  return finish(start(words))
end

--- What each of several says that run at the same time. They must succeed.
function process.outputs(commands)
  local pipes, outputs = {}, {}
  for i, words in ipairs(commands) do pipes[i] = start(words) end
  for i, words in ipairs(commands) do
    local output, good = finish(pipes[i])
    assert(good, table.concat(words, " ") .. "\n" .. output)
    outputs[i] = output
  end
  return outputs
end

--- The same of one.
function process.output(words)
  return process.outputs{words}[1]
end

--- The words of all these lists.
function process.join(...)
  local whole = {}
  for _, part in ipairs{...} do
    for _, word in ipairs(part) do whole[#whole + 1] = word end
  end
  return whole
end

function process.first_line(text)
  return text:match "[^\n]*"
end

function process.is_there(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

return process
