-- lua precompile.lua HEADER FILE...
--
-- For CMake, which runs it in lua/: compiles the files with the Lua that runs this, and writes them
-- into HEADER as csrc/lua_precompiled.c wants them. An error in them will still say its line.

local header = assert(io.open(arg[1], "w"))
local names = {}

for i = 2, #arg do
  local name = arg[i]:gsub("%.lua$", ""):gsub("/", ".")
  local bytes = {string.dump(assert(loadfile(arg[i]))):byte(1, -1)}
  local array = "module_" .. i
  header:write("static const unsigned char ", array, "[] = {", table.concat(bytes, ","), "};\n")
  names[#names + 1] = ('    {"%s", %s, sizeof %s},\n'):format(name, array, array)
end

header:write("static const struct module modules[] = {\n", table.concat(names), "};\n")
assert(header:close())
