# What is needed, and what to install when it is missing. Gives cba_libcurl, CBA_CURL_SONAME,
# cba_cjson, cba_sodium, CBA_LUA_INCLUDE and, where pkg-config knows it, cba_lua.
find_package(PkgConfig)
find_package(Threads REQUIRED)

# Finds `name` by pkg-config, else by header and library name; says what to install when missing.
function(cba_find target name header library debian alpine fedora brew)
  if(PkgConfig_FOUND)
    pkg_check_modules(${target} QUIET IMPORTED_TARGET GLOBAL ${name})
  endif()
  if(${target}_FOUND)
    add_library(${target} ALIAS PkgConfig::${target})
    return()
  endif()
  find_path(${target}_INCLUDE ${header})
  find_library(${target}_LIBRARY ${library})
  if(NOT ${target}_INCLUDE OR NOT ${target}_LIBRARY)
    message(FATAL_ERROR "corebank-auth needs ${name}. Install it:\n"
      "  Debian, Ubuntu:  apt-get install ${debian}\n  Alpine:          apk add ${alpine}\n"
      "  Fedora:          dnf install ${fedora}\n  Homebrew:        brew install ${brew}\n")
  endif()
  add_library(${target} INTERFACE)
  target_include_directories(${target} INTERFACE ${${target}_INCLUDE})
  target_link_libraries(${target} INTERFACE ${${target}_LIBRARY})
endfunction()

cba_find(cba_curl libcurl curl/curl.h curl libcurl4-openssl-dev curl-dev libcurl-devel curl)
cba_find(cba_cjson libcjson cjson/cJSON.h cjson libcjson-dev cjson-dev cjson-devel cjson)
cba_find(cba_sodium libsodium sodium.h sodium libsodium-dev libsodium-dev libsodium-devel libsodium)
if(LUA_INCDIR)
  set(CBA_LUA_INCLUDE ${LUA_INCDIR})
else()
  cba_find(cba_lua ${CBA_LUA} lua.h ${CBA_LUA} "liblua5.4-dev (or libluajit2-5.1-dev)" lua5.4-dev
    lua-devel lua)
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
