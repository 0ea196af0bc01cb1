# tests/FLOOR/test_THING.c: one cmocka program each. tests/cli/*.sh: scripts that
# find the program in $ELMAN; 77 says skipped. fuzz/fuzz_THING.c: a replay of its
# corpus always, and the fuzzer itself where ELMAN_FUZZ asks for it.
set(elman_emulator ${CMAKE_CROSSCOMPILING_EMULATOR})
find_library(CMOCKA cmocka)
find_path(CMOCKA_INCLUDE cmocka.h)
set(elman_test_programs "")

set(elman_test_includes include src tests/support)
file(GLOB support_sources CONFIGURE_DEPENDS tests/support/*.c)
list(FILTER support_sources EXCLUDE REGEX "/fuzz_replay\\.c$")
if(support_sources AND CMOCKA AND CMOCKA_INCLUDE)
  add_library(elman_test_support OBJECT EXCLUDE_FROM_ALL ${support_sources})
  target_include_directories(elman_test_support PRIVATE ${elman_test_includes} ${CMOCKA_INCLUDE})
endif()

function(elman_test_program name)
  add_executable(${name} ${ARGN})
  target_include_directories(${name} PRIVATE ${elman_test_includes})
  target_link_libraries(${name} PRIVATE $<TARGET_NAME_IF_EXISTS:elman_ref> elman_static
                        $<TARGET_NAME_IF_EXISTS:elman_ref> ${elman_libraries}
                        Threads::Threads m)
  target_compile_definitions(${name} PRIVATE
    ELMAN_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/golden"
    ELMAN_SHARED_DATA="${ELMAN_SHARED_DATA}")
endfunction()

# What scripts/check-bits builds with each compiler and runs everywhere.
add_executable(train_bits EXCLUDE_FROM_ALL tests/bits/train_bits.c)
target_include_directories(train_bits PRIVATE include src)
target_link_libraries(train_bits PRIVATE elman_static ${elman_libraries} Threads::Threads m)

if(NOT CMOCKA OR NOT CMOCKA_INCLUDE)
  message(STATUS "cmocka is not here: no unit tests")
else()
  set(folders base kernel graph op nn)
  if(NOT ELMAN_CORE_ONLY)
    list(APPEND folders format data model train decode task laws)
  endif()
  foreach(folder ${folders})
    file(GLOB sources CONFIGURE_DEPENDS tests/${folder}/test_*.c)
    foreach(source ${sources})
      get_filename_component(stem ${source} NAME_WE)
      string(REGEX REPLACE "^test_" "test_${folder}_" name ${stem})
      elman_test_program(${name} ${source})
      target_sources(${name} PRIVATE $<TARGET_OBJECTS:elman_test_support>)
      target_include_directories(${name} PRIVATE ${CMOCKA_INCLUDE})
      target_link_libraries(${name} PRIVATE ${CMOCKA})
      add_test(NAME ${name} COMMAND ${name})
      set_tests_properties(${name} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 LABELS ${folder})
    endforeach()
  endforeach()
endif()

if(NOT ELMAN_CORE_ONLY)
  file(GLOB fuzz_sources CONFIGURE_DEPENDS fuzz/fuzz_*.c)
  foreach(source ${fuzz_sources})
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "^fuzz_" "" subject ${name})
    elman_test_program(replay_${subject} ${source} tests/support/fuzz_replay.c)
    add_test(NAME replay_${subject}
             COMMAND replay_${subject} ${PROJECT_SOURCE_DIR}/fuzz/corpus/${subject})
    set_tests_properties(replay_${subject} PROPERTIES TIMEOUT 120 LABELS fuzz)
    if(ELMAN_FUZZ)
      elman_test_program(${name} ${source})
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    endif()
  endforeach()
endif()

if(TARGET elman)
  file(GLOB scripts CONFIGURE_DEPENDS tests/cli/*.sh)
  foreach(script ${scripts})
    get_filename_component(name ${script} NAME_WE)
    add_test(NAME cli_${name} COMMAND sh ${script}
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}/tests/cli)
    set_tests_properties(cli_${name} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 LABELS cli
      ENVIRONMENT "ELMAN=$<TARGET_FILE:elman>;ELMAN_SOURCE=${PROJECT_SOURCE_DIR};ELMAN_SHARED_DATA=${ELMAN_SHARED_DATA}")
  endforeach()
endif()

if(NOT ELMAN_CORE_ONLY AND NOT CMAKE_CROSSCOMPILING)
  add_test(NAME headers COMMAND sh ${PROJECT_SOURCE_DIR}/scripts/check-headers)
  set_tests_properties(headers PROPERTIES TIMEOUT 120 LABELS install
                       ENVIRONMENT "CC=${CMAKE_C_COMPILER}")
  file(GLOB example_sources CONFIGURE_DEPENDS examples/*.c)
  if(example_sources AND NOT ELMAN_SANITIZE)
    add_test(NAME examples COMMAND sh ${PROJECT_SOURCE_DIR}/scripts/check-examples
             ${PROJECT_BINARY_DIR})
    set_tests_properties(examples PROPERTIES TIMEOUT 300 LABELS install
                         ENVIRONMENT "CC=${CMAKE_C_COMPILER};CMAKE=${CMAKE_COMMAND}")
  endif()
endif()
