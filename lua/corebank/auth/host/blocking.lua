--- How a plain script waits: it blocks. A signal ends the wait, so that Ctrl-C works.

local core = require "corebank.auth.core"
local scheduler = require "corebank.auth.host.scheduler"

return scheduler.new(core)
