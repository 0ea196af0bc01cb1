# Headers, libraries, pkg-config and CMake files; program, manual and completions.
include(CMakePackageConfigHelpers)

install(TARGETS elman_static elman_shared EXPORT elman
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/elman DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)

string(JOIN " " ELMAN_PC_REQUIRES ${elman_pc_requires})
string(JOIN " " ELMAN_PC_LIBS ${elman_pc_libs})
# Relative to where it stands, so that `cmake --install --prefix` may move it.
file(RELATIVE_PATH ELMAN_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" ELMAN_PC_PREFIX "${ELMAN_PC_PREFIX}")
configure_file(cmake/elman.pc.in elman.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/elman.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(elman_cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/elman)
install(EXPORT elman NAMESPACE elman:: FILE elmanTargets.cmake DESTINATION ${elman_cmake_folder})
configure_package_config_file(cmake/elmanConfig.cmake.in elmanConfig.cmake
                              INSTALL_DESTINATION ${elman_cmake_folder})
write_basic_package_version_file(elmanConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/elmanConfig.cmake ${PROJECT_BINARY_DIR}/elmanConfigVersion.cmake
        DESTINATION ${elman_cmake_folder})

if(TARGET elman)
  install(TARGETS elman RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# The program writes its own manual and completions, from its tables of options.
function(elman_written file destination)
  add_custom_command(OUTPUT ${file} COMMAND elman ${ARGN} > ${file} DEPENDS elman VERBATIM)
  set_property(GLOBAL APPEND PROPERTY elman_written ${PROJECT_BINARY_DIR}/${file})
  install(FILES ${PROJECT_BINARY_DIR}/${file} DESTINATION ${destination} ${rename})
endfunction()
if(TARGET elman AND EXISTS ${PROJECT_SOURCE_DIR}/src/cli/man.c
   AND EXISTS ${PROJECT_SOURCE_DIR}/src/cli/completion.c)
  elman_written(elman.1 ${CMAKE_INSTALL_MANDIR}/man1 man)
  foreach(verb train eval predict generate inspect gradflow doctor compare report)
    elman_written(elman-${verb}.1 ${CMAKE_INSTALL_MANDIR}/man1 man ${verb})
  endforeach()
  set(rename RENAME elman)
  elman_written(elman.bash ${CMAKE_INSTALL_DATADIR}/bash-completion/completions completion bash)
  set(rename RENAME _elman)
  elman_written(elman.zsh ${CMAKE_INSTALL_DATADIR}/zsh/site-functions completion zsh)
  set(rename RENAME elman.fish)
  elman_written(elman.fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d completion fish)
  get_property(files GLOBAL PROPERTY elman_written)
  add_custom_target(manual ALL DEPENDS ${files})
endif()
