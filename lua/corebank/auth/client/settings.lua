--- The settings of each client, as options/read.lua makes them. They may contain proxy passwords
-- and keys in headers. Kept here, they are not shown by a dump of the client.
---@type table<corebank.auth.Client, table>
return setmetatable({}, {__mode = "k"})
