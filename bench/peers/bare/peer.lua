-- libcurl and nothing else: the limit. The second one posts the form of RFC 6749, and shows that
-- the sandbox takes no longer for that.
local here = ...

local function bare(name, title, environment)
  return {
    name = name, title = title, kind = "limit", environment = environment,
    prepare = "c",
    version = {"curl-config", "--version"},
    program = {here.out .. "/bare"},
    modes = "start once warm turns memory",
  }
end

local form = bare("bare-form", "bare libcurl, form", {"BARE_FORM=1"})
form.modes = "warm turns"
return {bare("bare", "bare libcurl"), form}
