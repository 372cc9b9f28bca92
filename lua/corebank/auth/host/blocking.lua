--- How a plain script waits: it blocks, and wakes at a signal so that Ctrl-C works.

local core = require "corebank.auth.core"
local scheduler = require "corebank.auth.host.scheduler"

return scheduler.new(core)
