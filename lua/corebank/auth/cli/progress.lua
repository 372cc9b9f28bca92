--- A line on the standard error that shows how much of a body has arrived. It is drawn only on a
-- terminal, and only when the body takes longer than a second.

local core = require "corebank.auth.core"

local FIRST, INTERVAL = 1, 0.2   -- seconds until the line is first drawn, and between two updates
local WIDTH = 30                 -- characters of the bar
local MIB = 1048576

local function text_of(done, total)
  if not total then return ("%.1f MiB"):format(done / MIB) end
  local share = total > 0 and math.min(1, done / total) or 1
  local filled = math.floor(share * WIDTH)
  return ("[%s%s] %3d %%  %.1f of %.1f MiB"):format(("#"):rep(filled), (" "):rep(WIDTH - filled),
    math.floor(share * 100), done / MIB, total / MIB)
end

local progress = {}

--- Returns two functions, or nil when the standard error is no terminal.
---@return fun(done: number, total: number?)? show called with the bytes so far, and in all
---@return fun()? clear removes the line
function progress.new()
  if not core.is_terminal(2) then return nil end
  local nextTime, is_drawn = core.boot() + FIRST, false
  local function show(done, total)
    local now = core.boot()
    if now < nextTime then return end
    nextTime, is_drawn = now + INTERVAL, true
    core.write(2, "\r" .. text_of(done, total) .. "\27[K")
  end
  local function clear()
    if is_drawn then core.write(2, "\r\27[K") end
  end
  return show, clear
end

return progress
