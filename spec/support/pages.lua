--- The pages that users read: their text, headings, tables and examples.

local files = require "spec.support.files"

local pages = {}

--- README, the pages beside it and those in docs/.
---@return string[]
function pages.list()
  return files.lines_of "ls README.md CONTRIBUTING.md SECURITY.md docs/*.md"
end

--- The part of a page under one heading, without what its deeper headings have.
---@param page string
---@param title string
---@return string
function pages.section(page, title)
  local text = files.content(page)
  local _, first = text:find("\n##+ " .. title .. "\n")
  assert(first, ("%s has no section %s"):format(page, title))
  return text:sub(first, (text:find("\n##+ ", first) or 0) - 1)
end

--- The rows of the tables in `text`: what the first column has in backticks -> the cells after it.
--- A name in two tables stands for its first row.
---@param text string
---@return table<string, string[]>
function pages.rows(text)
  local found = {}
  for line in text:gmatch("\n(|[^\n]*)") do
    local name, rest = line:match("^| `([^`]+)` |(.*)$")
    if name and not found[name] then
      local cells = {}
      for cell in rest:gmatch("%s*(.-)%s*|") do cells[#cells + 1] = cell end
      found[name] = cells
    end
  end
  return found
end

--- Fails unless each name has a row, and no other name has one.
---@param described table<string, string[]> from pages.rows
---@param names fun(): string? an iterator
function pages.has_exactly(described, names)
  local known = {}
  for name in names do
    assert(described[name], name .. " has no row")
    known[name] = true
  end
  for name in pairs(described) do assert(known[name], name .. " has a row, and does not exist") end
end

--- The examples of a page that are in a language: the code of each, and "PAGE: its first line".
---@param page string
---@param language string
---@return {code: string, name: string}[]
function pages.examples(page, language)
  local found = {}
  for code in files.content(page):gmatch("\n```" .. language .. "\n(.-)\n```") do
    found[#found + 1] = {code = code, name = ("%s: %s"):format(page, code:match("^[^\n]*"))}
  end
  return found
end

--- The anchors of a page's headings, as GitHub makes them.
---@param page string
---@return table<string, true>
function pages.anchors(page)
  local found = {}
  for title in files.content(page):gsub("\n```.-\n```", ""):gmatch("\n##+ ([^\n]+)") do
    found[title:lower():gsub("[^%w%s_-]", ""):gsub(" ", "-")] = true
  end
  return found
end

return pages
