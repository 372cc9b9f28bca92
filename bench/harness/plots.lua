--- Pictures, by gnuplot: SVG without a background, in colours that can be told from white and black.

local process = require "bench.harness.process"

local plots = {}

local OURS, LIMIT, OTHER, TEXT = 0x3b8ed0, 0xc08030, 0x909090, "#808080"

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
  file:write(text)
  file:close()
  process.output{"gnuplot", script}
  os.remove(script)
end

function plots.possible()
  return (select(2, process.try{"gnuplot", "--version"}))
end

local function colour(peer)
  return peer.kind == "ours" and OURS or peer.kind == "limit" and LIMIT or OTHER
end

--- Bars, the shortest on top, with a whisker from least to most. `bars` has {peer=, value=, least=,
-- most=}; `form` says how the value is written beside its bar.
function plots.bars(path, title, label, bars, form, logarithmic)
  table.sort(bars, function(a, b) return a.value < b.value end)
  local rows, tics, longest = {}, {}, 0
  for i, bar in ipairs(bars) do
    rows[i] = ("%d %.9g %.9g %.9g %d %s"):format(-i, bar.value, bar.least, bar.most,
      colour(bar.peer), '"' .. form:format(bar.value) .. '"')
    tics[i] = ('"%s" %d'):format(bar.peer.title, -i)
    longest = math.max(longest, bar.most)
  end
  local origin = logarithmic and 10 ^ math.floor(math.log(bars[1].least) / math.log(10)) or 0
  draw(path, head(path, 800, 90 + 28 * #rows, title, label)
    .. ("set ytics (%s)\nset yrange [%.1f:-0.4]\nset key off\n"):format(
      table.concat(tics, ", "), -#rows - 0.6)
    .. (logarithmic and "set logscale x\n" or "")
    .. ("set xrange [%g:%g]\n"):format(logarithmic and origin or 0,
      logarithmic and longest * 4 or longest * 1.15)
    .. "$bars << END\n" .. table.concat(rows, "\n") .. "\nEND\n"
    .. ([[
plot $bars using 2:1:(%g):2:($1-0.36):($1+0.36):5 with boxxyerror \
       linecolor rgb variable fillstyle solid noborder, \
     $bars using 2:1:3:4 with xerrorbars pointtype 0 linecolor rgb "%s", \
     $bars using 4:1:6 with labels left offset 0.6,0 textcolor rgb "%s"
]]):format(origin, TEXT, TEXT))
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
