--- Pictures, by gnuplot: SVG without a background, in colours that stand out from white and black.

local figures = require "bench.harness.figures"
local process = require "bench.harness.process"

local plots = {}

local OURS, LIMIT, OTHER, TEXT = 0x3b8ed0, 0xc08030, 0x808080, "#777777"

local HEAD = [[
set terminal svg size %d,%d dynamic noenhanced font "sans-serif,14"
set output "%s"
set title "%s" textcolor rgb "%s"
set border 1 linecolor rgb "%s"
set tics textcolor rgb "%s" nomirror
set xlabel "%s" textcolor rgb "%s"
set grid xtics linecolor rgb "%s" dashtype 3
set key textcolor rgb "%s"
]]

local function head(path, width, height, title, label)
  return HEAD:format(width, height, path, title, TEXT, TEXT, TEXT, label, TEXT, TEXT, TEXT)
end

local function draw(path, text)
  local script = path:gsub("%.svg$", ".gnuplot")
  local file = assert(io.open(script, "w"))
  assert(file:write(text))
  assert(file:close())
  process.output{"gnuplot", script}
  assert(os.remove(script))
end

function plots.possible()
  return (select(2, process.try{"gnuplot", "--version"}))
end

local function colour(peer)
  return peer.kind == "ours" and OURS or peer.kind == "limit" and LIMIT or OTHER
end

-- Bars begin at nought, which a logarithmic axis does not have: there a dot stands for each.
local BARS = [[
plot $peers using 2:1:(0):2:($1-0.36):($1+0.36):5 with boxxyerror \
       linecolor rgb variable fillstyle transparent solid 0.4 noborder, \
]]
local DOTS = [[
plot $peers using 2:1:5 with points pointtype 7 pointsize 1 linecolor rgb variable, \
]]
local WHISKERS = [[
     $peers using 2:1:3:4:5 with xerrorbars pointtype 0 linewidth 2 linecolor rgb variable, \
     $peers using 4:1:6 with labels left offset 0.6,0 textcolor rgb "%s"
]]

-- The peers' rows, best first: place, median, least, most, colour, what is written beside it.
local function rows_of(what)
  local list = {}
  for i, peer in ipairs(what.peers) do
    local value, least, most = figures.median(what.all[peer][what.figure])
    list[i] = {peer = peer, value = value, least = least, most = most}
  end
  table.sort(list, function(a, b)
    if what.descending then a, b = b, a end
    return a.value < b.value
  end)
  local rows, names, least, most = {}, {}, math.huge, 0
  for i, each in ipairs(list) do
    rows[i] = ('%d %.9g %.9g %.9g %d "%s"'):format(-i, each.value, each.least, each.most,
      colour(each.peer), what.form:format(each.value))
    names[i] = ('"%s" %d'):format(each.peer.title, -i)
    least, most = math.min(least, each.least), math.max(most, each.most)
  end
  return rows, names, least, most
end

--- One figure of many peers, each with a whisker from least to most. `what` has title, unit,
-- peers, all (as figures.alternate gives it), figure, form (of the number beside it), and may have
-- logarithmic, descending.
function plots.compare(path, what)
  local rows, names, least, most = rows_of(what)
  local range = what.logarithmic and "set logscale x\nset xrange [%g:%g]\n"
    or "set xrange [%g:%g]\n"
  draw(path, head(path, 800, 90 + 28 * #rows, what.title, what.unit)
    .. ("set ytics scale 0 (%s)\nset yrange [%.1f:-0.4]\nset key off\n"):format(
      table.concat(names, ", "), -#rows - 0.6)
    .. range:format(what.logarithmic and least / 2 or 0, most * (what.logarithmic and 5 or 1.15))
    .. "$peers << END\n" .. table.concat(rows, "\n") .. "\nEND\n"
    .. (what.logarithmic and DOTS or BARS) .. WHISKERS:format(TEXT))
end

local DASHES = {1, 2, 4, 5}

--- Lines over a number of things, both axes logarithmic. `lines` has {peer=, {x, y}, ...}.
function plots.lines(path, title, xlabel, ylabel, lines)
  local data, pieces, seen = {}, {}, {}
  for i, line in ipairs(lines) do
    local rows = {}
    for j, point in ipairs(line) do rows[j] = ("%.9g %.9g"):format(point[1], point[2]) end
    data[i] = ("$l%d << END\n%s\nEND\n"):format(i, table.concat(rows, "\n"))
    local shade = colour(line.peer)
    seen[shade] = (seen[shade] or 0) + 1
    pieces[i] = ('$l%d with linespoints title "%s" linewidth 2 pointtype %d dashtype %d '
      .. 'linecolor rgb %d'):format(i, line.peer.title, 4 + seen[shade] * 2,
        DASHES[(seen[shade] - 1) % #DASHES + 1], shade)
  end
  draw(path, head(path, 800, 420, title, xlabel)
    .. ('set border 3\nset logscale xy\nset ylabel "%s" textcolor rgb "%s"\n'):format(ylabel, TEXT)
    .. "set key outside right\n" .. table.concat(data) .. "plot " .. table.concat(pieces, ", ")
    .. "\n")
end

return plots
