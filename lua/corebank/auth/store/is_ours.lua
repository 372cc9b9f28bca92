--- Whether what was raised is not a store's: out of memory, and Ctrl-C, as lua raises it. It is
-- raised once more.
---@param raised any
---@return boolean
return function(raised)
  return raised == "not enough memory"
    or type(raised) == "string" and raised:find("interrupted!$") ~= nil
end
