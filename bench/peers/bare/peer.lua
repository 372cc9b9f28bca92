-- libcurl and nothing else: the limit. The second one takes the token out of the answer, too, as
-- every other peer must: what libcurl and cJSON cost together. The third one posts the form of RFC
-- 6749, and shows that the sandbox takes no longer for that.
local here = ...

local function bare(name, title, modes, environment)
  return {
    name = name, title = title, kind = "limit", environment = environment,
    prepare = "c",
    version = {"curl-config", "--version"},
    program = {here.out .. "/bare"},
    modes = modes,
  }
end

return {
  bare("bare", "bare libcurl", "start once warm turns memory get-warm get-turns get-memory"),
  bare("bare-token", "bare libcurl and cJSON", "warm turns", {"BARE_TOKEN=1"}),
  bare("bare-form", "bare libcurl, form", "warm turns", {"BARE_FORM=1"}),
}
