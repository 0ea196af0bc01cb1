# The libraries of other fields, each behind one option.
find_package(Threads REQUIRED)
set(elman_libraries "")
set(elman_pc_requires "")

macro(elman_library module target define)
  pkg_check_modules(${target} IMPORTED_TARGET ${module})
  if(NOT ${target}_FOUND)
    message(FATAL_ERROR "${module} is not here: scripts/setup installs it${ARGN}")
  endif()
  list(APPEND elman_libraries PkgConfig::${target})
  list(APPEND elman_pc_requires ${module})
  add_compile_definitions(${define}=1)
endmacro()

if(NOT ELMAN_CORE_ONLY)
  find_package(PkgConfig REQUIRED)
  elman_library(jansson JANSSON ELMAN_WITH_JANSSON)
  if(ELMAN_WITH_UTF8PROC)
    elman_library(libutf8proc UTF8PROC ELMAN_WITH_UTF8PROC
                  "; -DELMAN_WITH_UTF8PROC=OFF builds without it")
  endif()
endif()
