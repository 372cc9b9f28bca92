# The Lua files, compiled, in the core; not by LuaJIT, nor by 5.1, which names itself elsewhere.
if(CBA_LUA_PROGRAM)
  execute_process(COMMAND "${CBA_LUA_PROGRAM}" -v OUTPUT_VARIABLE CBA_LUA_RELEASE ERROR_QUIET)
endif()
if(CBA_LUA_RELEASE MATCHES "^(Lua [0-9.]+) ")
  set(CBA_PRECOMPILED_BY "${CMAKE_MATCH_1}")
  file(GLOB_RECURSE CBA_LUA_FILES RELATIVE "${CMAKE_SOURCE_DIR}/lua" CONFIGURE_DEPENDS lua/*.lua)
  list(TRANSFORM CBA_LUA_FILES PREPEND "${CMAKE_SOURCE_DIR}/lua/" OUTPUT_VARIABLE CBA_LUA_PATHS)
  add_custom_command(OUTPUT precompiled.h WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}/lua" VERBATIM
    COMMAND "${CBA_LUA_PROGRAM}" "${CMAKE_SOURCE_DIR}/script/precompile.lua"
      "${CMAKE_BINARY_DIR}/precompiled.h" ${CBA_LUA_FILES}
    DEPENDS script/precompile.lua ${CBA_LUA_PATHS})
  target_sources(core PRIVATE csrc/lua_precompiled.c "${CMAKE_BINARY_DIR}/precompiled.h")
  target_include_directories(core PRIVATE "${CMAKE_BINARY_DIR}")
  target_link_libraries(core PRIVATE ${CMAKE_DL_LIBS})
  target_compile_definitions(core PRIVATE CBA_PRECOMPILED_BY="${CBA_PRECOMPILED_BY}")
endif()
