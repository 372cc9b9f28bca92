--- What is made of many measurements of one thing.

local figures = {}

local function sort(values)
  local sorted = {}
  for i, value in ipairs(values) do sorted[i] = value end
  table.sort(sorted)
  return sorted
end

--- The middle one, and the least and most.
function figures.median(values)
  local sorted = sort(values)
  local middle = (#sorted + 1) / 2
  return (sorted[math.floor(middle)] + sorted[math.ceil(middle)]) / 2, sorted[1], sorted[#sorted]
end

-- The chance that a fair coin shows heads at most `most` times in `count`.
local function chance(count, most)
  local each, sum = 0.5 ^ count, 0
  for heads = 0, most do
    sum = sum + each
    each = each * (count - heads) / (heads + 1)
  end
  return sum
end

--- Between which the median lies with 95 %, whatever the distribution: each measurement is above it
-- as often as below. Nil where there are too few to say.
function figures.interval(values)
  local sorted, outside = sort(values), 0
  while chance(#sorted, outside) <= 0.025 do outside = outside + 1 end
  return sorted[outside], sorted[#sorted + 1 - outside]
end

--- Round by round: what two peers did in the same round met the same machine.
function figures.ratios(values, limits)
  local list = {}
  for i, value in ipairs(values) do list[i] = value / limits[i] end
  return list
end

--- "2.10 (2.05 to 2.31)"
function figures.with_spread(values, pattern)
  local middle, least, most = figures.median(values)
  if #values == 1 then return pattern:format(middle) end
  return ("%s (%s to %s)"):format(pattern:format(middle), pattern:format(least),
    pattern:format(most))
end

--- What `measure(peer)` gives for each peer in each round: peer -> figure's name -> list of values.
-- The peers take turns, A B C A B C, so that a machine that slows down slows all of them.
function figures.alternate(peers, rounds, measure)
  local all = {}
  for _, peer in ipairs(peers) do all[peer] = {} end
  for _ = 1, rounds do
    for _, peer in ipairs(peers) do
      for name, value in pairs(measure(peer)) do
        all[peer][name] = all[peer][name] or {}
        table.insert(all[peer][name], value)
      end
    end
  end
  return all
end

return figures
