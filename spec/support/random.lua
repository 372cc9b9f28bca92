--- Random numbers for tests with random steps: the same seed gives the same numbers on every Lua.

local random = {}

--- $CBA_SEED, else another one each time; specs have it in their names.
random.seed = tonumber(os.getenv("CBA_SEED")) or os.time()

--- Makes what gives numbers from 0 to below 1.
function random.generator()
  local state = random.seed % 2147483646 + 1
  return function()
    state = (state * 16807) % 2147483647
    return state / 2147483647
  end
end

--- One of a list.
---@param generate fun(): number
---@param list any[]
function random.pick(generate, list)
  return list[1 + math.floor(generate() * #list)]
end

return random
