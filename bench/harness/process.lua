--- Commands, as lists of words.

local files = require "spec.files"

local process = {}

--- For a shell.
function process.quoted(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = files.quoted(tostring(word)) end
  return table.concat(quoted, " ")
end

--- All that it says on either output; and what os.execute returns, whether it succeeded first.
function process.try(words)
  local pipe = assert(io.popen(process.quoted(words) .. " 2>&1"))
  local output = pipe:read "*a"
  return output, pipe:close()
end

--- The same of one that must succeed.
function process.output(words)
  local output, good = process.try(words)
  assert(good, table.concat(words, " ") .. "\n" .. output)
  return output
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
