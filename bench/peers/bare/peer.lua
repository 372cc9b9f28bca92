-- libcurl and nothing else: the limit. The second one posts the form of RFC 6749, and shows that
-- the sandbox takes no longer for that.
local here = ...

local function bare(title, environment)
  return {
    title = title, kind = "limit", environment = environment,
    prepare = "c",
    version = {"curl-config", "--version"},
    program = {here.out .. "/bare"},
    modes = "start once warm memory",
  }
end

local form = bare("bare libcurl, form", {"BARE_FORM=1"})
form.modes = "warm"
return {bare "bare libcurl", form}
