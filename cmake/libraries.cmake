# The libraries of other fields, each behind one option.
find_package(Threads REQUIRED)
set(elman_libraries "")
set(elman_pc_requires "")

macro(elman_library module target)
  pkg_check_modules(${target} IMPORTED_TARGET ${module})
  if(NOT ${target}_FOUND)
    message(FATAL_ERROR "${module} is not here: scripts/setup installs it")
  endif()
  list(APPEND elman_libraries PkgConfig::${target})
  list(APPEND elman_pc_requires ${module})
endmacro()

if(NOT ELMAN_CORE_ONLY)
  find_package(PkgConfig REQUIRED)
  elman_library(jansson JANSSON)
  add_compile_definitions(ELMAN_WITH_JANSSON=1)
endif()
