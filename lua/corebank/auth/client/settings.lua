--- The settings of each client, as options/read.lua made them. Proxy passwords and gateway keys are
-- in them: here no dump of a client shows them.
---@type table<corebank.auth.Client, table>
return setmetatable({}, {__mode = "k"})
