# What is needed, and what to install when it is missing. Gives cba_libcurl, CBA_CURL_SONAME,
# cba_cjson, cba_sodium, CBA_LUA_INCLUDE and, where pkg-config knows it, cba_lua.
find_package(PkgConfig)
find_package(Threads REQUIRED)

# The least versions. The core looks again when Lua opens it: a library can be older there.
set(CBA_CURL_LEAST 7.74.0)   # the oldest that is tested; before 7.80 no connection is kept
set(CBA_CJSON_LEAST 1.7.13)  # cJSON_ParseWithLengthOpts
set(CBA_SODIUM_LEAST 1.0.12) # crypto_aead_xchacha20poly1305_ietf_*

# Stops when what was found is older than `least`.
function(cba_require wanted found least)
  if(found AND found VERSION_LESS least)
    message(FATAL_ERROR "corebank-auth needs ${wanted} and found ${found}.\n"
      "Where a later one has a folder of its own, PKG_CONFIG_PATH names that folder's pkgconfig.\n")
  endif()
endfunction()

# The version that a header defines, as one text or as three numbers.
function(cba_header_version result header)
  file(STRINGS "${header}" lines REGEX
    "define +(LIBCURL_VERSION|SODIUM_VERSION_STRING|CJSON_VERSION_[A-Z]+) ")
  string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
  list(JOIN numbers "." version)
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

# Finds `name` by pkg-config, else by header and library name; says what to install when missing,
# and what is needed when it is older than `least`. That is told by pkg-config, else by `version`, a
# header.
function(cba_find target name header library debian alpine fedora brew)
  set(least "${ARGV8}")
  set(version "${ARGV9}")
  set(at_least "")
  set(wanted "${name}")
  if(least)
    set(at_least ">=${least}")
    set(wanted "${name} ${least} or later")
  endif()
  if(PkgConfig_FOUND)
    pkg_check_modules(${target} QUIET IMPORTED_TARGET GLOBAL "${name}${at_least}")
  endif()
  if(${target}_FOUND)
    add_library(${target} ALIAS PkgConfig::${target})
    return()
  endif()
  if(PkgConfig_FOUND)
    # Not kept, unlike what is found: the next run may see another.
    execute_process(COMMAND "${PKG_CONFIG_EXECUTABLE}" --modversion ${name} ERROR_QUIET
      OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE)
    cba_require("${wanted}" "${found}" "${least}")
  endif()
  find_path(${target}_INCLUDE ${header})
  find_library(${target}_LIBRARY ${library})
  if(NOT ${target}_INCLUDE OR NOT ${target}_LIBRARY)
    message(FATAL_ERROR "corebank-auth needs ${wanted}. Install it:\n"
      "  Debian, Ubuntu:  apt-get install ${debian}\n  Alpine:          apk add ${alpine}\n"
      "  Fedora:          dnf install ${fedora}\n  Homebrew:        brew install ${brew}\n")
  endif()
  if(version)
    cba_header_version(found "${${target}_INCLUDE}/${version}")
    cba_require("${wanted}" "${found}" "${least}")
  endif()
  add_library(${target} INTERFACE)
  target_include_directories(${target} INTERFACE ${${target}_INCLUDE})
  target_link_libraries(${target} INTERFACE ${${target}_LIBRARY})
endfunction()

cba_find(cba_curl libcurl curl/curl.h curl libcurl4-openssl-dev curl-dev libcurl-devel curl
  ${CBA_CURL_LEAST} curl/curlver.h)
cba_find(cba_cjson libcjson cjson/cJSON.h cjson libcjson-dev cjson-dev cjson-devel cjson
  ${CBA_CJSON_LEAST} cjson/cJSON.h)
cba_find(cba_sodium libsodium sodium.h sodium libsodium-dev libsodium-dev libsodium-devel libsodium
  ${CBA_SODIUM_LEAST} sodium/version.h)
if(LUA_INCDIR)
  set(CBA_LUA_INCLUDE ${LUA_INCDIR})
else()
  set(CBA_LUA_PACKAGES lib${CBA_LUA}-dev ${CBA_LUA}-dev lua-devel lua)
  if(CBA_LUA STREQUAL "lua5.1")
    set(CBA_LUA_PACKAGES liblua5.1-0-dev lua5.1-dev compat-lua-devel lua@5.1)
  elseif(CBA_LUA STREQUAL "luajit")
    set(CBA_LUA_PACKAGES "libluajit2-5.1-dev (Debian 12) or libluajit-5.1-dev"
      luajit-dev luajit-devel luajit)
  endif()
  cba_find(cba_lua ${CBA_LUA} lua.h ${CBA_LUA} ${CBA_LUA_PACKAGES})
  get_target_property(CBA_LUA_INCLUDE cba_lua INTERFACE_INCLUDE_DIRECTORIES)
endif()

# libcurl, and the name by which the system's loader knows it; empty where that cannot be told.
add_library(cba_libcurl INTERFACE)
set(CBA_CURL_SONAME "${CBA_CURL_LIBRARY}")
if(CBA_CURL_LIBRARY)
  get_target_property(CBA_CURL_INCLUDE cba_curl INTERFACE_INCLUDE_DIRECTORIES)
  target_include_directories(cba_libcurl INTERFACE
    "$<$<BOOL:${CBA_CURL_INCLUDE}>:${CBA_CURL_INCLUDE}>")
  target_link_libraries(cba_libcurl INTERFACE -l:${CBA_CURL_LIBRARY})
else()
  target_link_libraries(cba_libcurl INTERFACE cba_curl)
endif()
if(CMAKE_OBJDUMP AND NOT CBA_CURL_LIBRARY)
  get_target_property(CBA_CURL_FILES cba_curl INTERFACE_LINK_LIBRARIES)
  execute_process(COMMAND "${CMAKE_OBJDUMP}" -p ${CBA_CURL_FILES} OUTPUT_VARIABLE CBA_CURL_HEADERS
    ERROR_QUIET)
  if(CBA_CURL_HEADERS MATCHES "SONAME +(libcurl[^ \n]*)")
    set(CBA_CURL_SONAME "${CMAKE_MATCH_1}")
  endif()
endif()
