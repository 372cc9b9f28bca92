-- Libraries that are older than what is needed: said when the core is made, and when it is opened.

local files = require "spec.support.files"
local lfs = require "lfs"

local quoted = files.quoted

local LEAST = {{"libcurl", "libcurl", "7.74.0"}, {"libcjson", "cJSON", "1.7.13"},
  {"libsodium", "libsodium", "1.0.12"}}

local dir

before_each(function() dir = files.new_folder() end)
after_each(function() os.execute("rm -r " .. quoted(dir)) end)

local function output_of(command)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1 </dev/null"))
  local output = pipe:read "*a"
  pipe:close()
  return (output:gsub("%s+", " "))   -- CMake breaks lines
end

-- CMake's words where pkg-config tells this version of a package; nothing is built.
local function configure(package, version)
  files.write(dir .. "/" .. package .. ".pc", ("Name: %s\nDescription: a fake\nVersion: %s\n"
    .. "Libs: -lm\n"):format(package, version))
  return output_of(("PKG_CONFIG_PATH=%s cmake -S . -B %s/build -DCBA_LUA=%s && echo configured")
    :format(quoted(dir), quoted(dir), os.getenv("CBA_BUILD"):match "^[^-]+"))
end

-- CMake does the same for every Lua: once is enough.
if os.getenv "CBA_BUILD" == "lua5.4" then describe("S32: CMake", function()
  local OLD = {libcurl = "7.73.0", libcjson = "1.7.12", libsodium = "1.0.9"}
  for _, library in ipairs(LEAST) do
    local package, least = library[1], library[3]
    it("refuses a " .. package .. " that is too old, and says which is needed", function()
      local said = configure(package, OLD[package])
      assert.is_truthy(said:find(("needs %s %s or later and found %s."):format(package, least,
        OLD[package]), 1, true), said)
      assert.is_nil(said:find "configured $")
    end)
  end

  it("takes the oldest that is recent enough, also where an older one was refused", function()
    configure("libcurl", "7.73.0")
    local said
    for _, library in ipairs(LEAST) do said = configure(library[1], library[3]) end
    assert.is_truthy(said:find "configured $", said)
  end)

  it("reads the version from the header where there is no pkg-config", function()
    lfs.mkdir(dir .. "/curl")
    files.write(dir .. "/curl/curl.h", "")
    files.write(dir .. "/curl/curlver.h", '#define LIBCURL_VERSION "7.73.0-DEV"\n'
      .. "#define LIBCURL_VERSION_MAJOR 7\n")
    local said = output_of(("cmake -S . -B %s/build -DPKG_CONFIG_EXECUTABLE=/none "
      .. "-DCMAKE_INCLUDE_PATH=%s"):format(quoted(dir), quoted(dir)))
    assert.is_truthy(said:find("needs libcurl 7.74.0 or later and found 7.73.0.", 1, true), said)
  end)

  it("says the version, too, of what is missing", function()
    local said = output_of(("PKG_CONFIG_LIBDIR=/none cmake -S . -B %s/build "
      .. "-DCMAKE_FIND_ROOT_PATH=/none -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY"):format(
      quoted(dir)))
    assert.is_truthy(said:find("needs libcurl 7.74.0 or later. Install it: Debian", 1, true), said)
  end)
end) end

-- What a program says that has a library's version from elsewhere, as if an older one were loaded.
local function require_with(code)
  files.write(dir .. "/old.c", code)
  assert.equal("", output_of(("cc -shared -fPIC -o %s/old.so %s/old.c"):format(quoted(dir),
    quoted(dir))))
  files.write(dir .. "/script.lua", 'print(pcall(require, "corebank.auth"))')
  -- A sanitizer that is there wants to be the first of all libraries, and need not be.
  return output_of(('ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" '
    .. 'LD_PRELOAD="$LD_PRELOAD %s/old.so" %s %s/script.lua'):format(dir, os.getenv "CBA_LUA",
    dir))
end

describe("S32: require", function()
  local FAKES = {
    libcurl = [[#include <curl/curl.h>
      curl_version_info_data *curl_version_info(CURLversion now) {
        static curl_version_info_data old = {.version = "%s"};
        (void)now; return &old; }]],
    cJSON = 'const char *cJSON_Version(void) { return "%s"; }',
    libsodium = 'const char *sodium_version_string(void) { return "%s"; }',
  }
  for _, library in ipairs(LEAST) do
    local name, least = library[2], library[3]
    it("refuses a " .. name .. " that is older than the core was made for", function()
      local said = require_with(FAKES[name]:format "1.0.3")
      assert.is_truthy(said:find("^false .*corebank%-auth needs " .. name
        .. " [%d.]+ or later, and 1%.0%.3 is what the system loads"), said)
    end)

    it("takes a " .. name .. " that is newer", function()
      local major = tonumber(least:match "^%d+")
      assert.is_truthy(require_with(FAKES[name]:format((major + 3) .. ".0.0-DEV")):find "^true ")
    end)
  end

  it("knows which of two numbers is lower by more than their digits", function()
    assert.is_truthy(require_with(FAKES.cJSON:format "1.7.9"):find "^false ")
    assert.is_truthy(require_with(FAKES.cJSON:format "1.10"):find "^true ")
  end)
end)

describe("G21: require #tls", function()
  it("refuses a program that has another OpenSSL in it, and names the way out", function()
    -- What is built for OpenSSL 1.1 finds no older one.
    local version = require("corebank.auth").version()
    if version:find "GnuTLS/" or version:find "OpenSSL/1%." then return end
    local said = require_with [[
      const char *OpenSSL_version(int what) {
        return what == 0 ? "OpenSSL 1.1.1w  11 Sep 2023" : "not available"; }
      unsigned long OpenSSL_version_num(void) { return 0x1010117fUL; }]]
    assert.is_truthy(said:find("^false .*this program has another OpenSSL in it than libcurl was "
      .. "built for.*GnuTLS"), said)
  end)

  it("takes one that has a newer OpenSSL of the same kind", function()
    assert.is_truthy(require_with [[
      const char *OpenSSL_version(int what) { (void)what; return "3.3.1"; }]]:find "^true ")
  end)
end)
