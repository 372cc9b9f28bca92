--- The report: Markdown, printed as it grows and kept for the end; and the targets.

local figures = require "bench.harness.figures"

local report = {missed = false}

local lines, verdicts, standings = {}, {}, {}

--- A line of text.
function report.say(text)
  lines[#lines + 1] = text
  print(text)
  io.stdout:flush()
end

function report.heading(text)
  report.say("\n## " .. text .. "\n")
end

-- Characters, not bytes.
local function width(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

local function padded(text, columns)
  return text .. (" "):rep(columns - width(text))
end

--- Rows of cells under a header, in columns.
function report.table(header, rows)
  local widths = {}
  for i, cell in ipairs(header) do widths[i] = math.max(3, width(cell)) end
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i], width(cell)) end
  end
  local function line(row)
    local cells = {}
    for i, columns in ipairs(widths) do cells[i] = padded(row[i] or "", columns) end
    report.say("| " .. table.concat(cells, " | ") .. " |")
  end
  line(header)
  report.say("|" .. ("---|"):rep(#widths))
  for _, row in ipairs(rows) do line(row) end
end

--- A table of one figure or more for each peer. `columns` has {name of the figure, title, pattern}.
function report.figures(peers, all, columns)
  local header, rows = {"peer"}, {}
  for _, column in ipairs(columns) do header[#header + 1] = column[2] end
  header[#header + 1] = ""
  for _, peer in ipairs(peers) do
    local row = {peer.title}
    for _, column in ipairs(columns) do
      local values = all[peer][column[1]]
      row[#row + 1] = values and figures.with_spread(values, column[3]) or ""
    end
    row[#row + 1] = peer.note or ""
    rows[#rows + 1] = row
  end
  report.table(header, rows)
end

local MISSING = "not judged: a peer is missing"

local function within(value, most, least)
  return (not most or value <= most) and (not least or value >= least)
end

-- What the median says; and whether it might be chance.
local function verdict(values, most, least)
  local good = within(figures.median(values), most, least)
  report.missed = report.missed or not good
  local low, high = figures.interval(values)
  local sure = false
  if low and good then
    sure = within(low, most, least) and within(high, most, least)
  elseif low then   -- all of it on one side
    sure = most and low > most or least and high < least
  end
  return (good and "ok" or "MISSED")
    .. (sure and "" or #values == 1 and ", measured once" or ", not sure")
end

-- "2.100 (2.050 to 2.310)"
local function with_interval(values)
  local low, high = figures.interval(values)
  local middle = ("%.3f"):format(figures.median(values))
  return low and ("%s (%.3f to %.3f)"):format(middle, low, high) or middle
end

local function target(most, least)
  if most and least then return ("%.2f to %.2f"):format(least, most) end
  return most and ("at most %.2f"):format(most) or ("at least %.2f"):format(least)
end

--- A target: the median of the values must be at most `most`, or at least `least`. Without values,
-- because a peer is missing, the target is missed.
function report.judge(what, values, most, least)
  if values then
    verdicts[#verdicts + 1] = {what, with_interval(values), tostring(#values),
      target(most, least), verdict(values, most, least)}
  else
    report.missed = true
    verdicts[#verdicts + 1] = {what, "", "", target(most, least), MISSING}
  end
end

local RIVALS = {Lua = true, Python = true, Node = true}

-- How far one is from the nearest peer in Lua, Python or Node.
local function judge_ahead(what, peer, all, figure, rivals, alone)
  local nearest, values
  for _, rival in ipairs(rivals) do
    local each = figures.ratios(all[peer][figure], all[rival][figure])
    if not values or figures.median(each) > figures.median(values) then
      nearest, values = rival, each
    end
  end
  if nearest then
    standings[#standings + 1] = {what, peer.title, nearest.title, with_interval(values),
      verdict(values, 1)}
  else
    report.missed = report.missed or not alone
    standings[#standings + 1] = {what, peer.title, "nobody", "", alone or MISSING}
  end
end

--- The target of being ahead of every peer in Lua, Python or Node. Less is better.
---@param alone string? why there may be none of them; else one is missing
function report.judge_all_ahead(what, peers, all, figure, alone)
  local rivals = {}
  for _, peer in ipairs(peers) do
    if RIVALS[peer.kind] and all[peer][figure] then rivals[#rivals + 1] = peer end
  end
  for _, peer in ipairs(peers) do
    if peer.kind == "ours" and not peer.judgedApart and all[peer][figure] then
      judge_ahead(what, peer, all, figure, rivals, alone)
    end
  end
end

function report.verdicts()
  report.heading "Targets"
  report.say("Each row compares a median with its target. If there are enough values, the range in "
    .. "parentheses contains the median with a probability of 95 %. \"not sure\" means that the "
    .. "target is inside this range, or that there are too few values.\n")
  report.table({"ratio or figure", "median", "of", "target", ""}, verdicts)
  report.say("\ncorebank-auth must be faster and smaller than every peer in Lua, Python and Node: "
    .. "the ratio to the best of these peers must be at most 1.\n")
  report.table({"row", "of", "nearest", "ratio, median", ""}, standings)
end

--- The whole as one text.
function report.text()
  return table.concat(lines, "\n") .. "\n"
end

return report
