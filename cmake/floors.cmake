# One object library a floor, so that a part of the house can be built alone.
set(elman_objects "")

function(elman_floor name)
  if(ARGN)
    add_library(elman_${name} OBJECT ${ARGN})
    target_include_directories(elman_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include
                                                     ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(elman_${name} PRIVATE ${elman_libraries} Threads::Threads)
    list(APPEND elman_objects $<TARGET_OBJECTS:elman_${name}>)
    set(elman_objects "${elman_objects}" PARENT_SCOPE)
  endif()
endfunction()

# Instruction sets of the target processor; each compiles every kernel body once.
set(elman_isas scalar)
set(elman_flags_scalar "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  list(APPEND elman_isas avx2 avx512)
  set(elman_flags_avx2 -mavx2 -mfma)
  set(elman_flags_avx512 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2 -mfma
                         -mprefer-vector-width=512)
  add_compile_definitions(ELMAN_HAVE_X86=1)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  list(APPEND elman_isas neon)
  set(elman_flags_neon "")
  add_compile_definitions(ELMAN_HAVE_NEON=1)
endif()

set(elman_floors base kernel graph op nn)
if(NOT ELMAN_CORE_ONLY)
  list(APPEND elman_floors format data model train decode task)
endif()
# What protoc-c makes of a .proto; its code is not ours to mend.
set(elman_generated "")
if(NOT ELMAN_CORE_ONLY AND ELMAN_WITH_TENSORBOARD)
  set(stem ${PROJECT_BINARY_DIR}/generated/tensorboard.pb-c)
  add_custom_command(OUTPUT ${stem}.c ${stem}.h
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/generated
    COMMAND ${PROTOC_C} --c_out=${PROJECT_BINARY_DIR}/generated
            -I${PROJECT_SOURCE_DIR}/src/format ${PROJECT_SOURCE_DIR}/src/format/tensorboard.proto
    DEPENDS src/format/tensorboard.proto VERBATIM)
  set_source_files_properties(${stem}.c PROPERTIES COMPILE_OPTIONS -w)
  list(APPEND elman_generated ${stem}.c ${stem}.h)
  include_directories(SYSTEM ${PROJECT_BINARY_DIR}/generated)
endif()
foreach(floor ${elman_floors})
  file(GLOB sources CONFIGURE_DEPENDS src/${floor}/*.c)
  if(floor STREQUAL format)
    list(APPEND sources ${elman_generated})
  endif()
  elman_floor(${floor} ${sources})
endforeach()
if(ELMAN_CORE_ONLY)
  # What a training step needs and no file does.
  file(GLOB sources CONFIGURE_DEPENDS src/train/optimi*.c src/train/clip*.c
       src/train/schedule*.c)
  elman_floor(train ${sources})
endif()

file(GLOB bodies CONFIGURE_DEPENDS src/kernel/body/*.c)
foreach(isa ${elman_isas})
  elman_floor(kernel_${isa} ${bodies})
  if(TARGET elman_kernel_${isa})
    string(TOUPPER ${isa} upper)
    target_compile_definitions(elman_kernel_${isa} PRIVATE ELMAN_KERNEL_ISA=${isa}
                               ELMAN_KERNEL_${upper}=1)
    target_compile_options(elman_kernel_${isa} PRIVATE ${elman_flags_${isa}})
  endif()
endforeach()

# The double-precision oracles; only tests link them.
file(GLOB sources CONFIGURE_DEPENDS src/kernel/ref/*.c)
if(sources)
  add_library(elman_ref STATIC EXCLUDE_FROM_ALL ${sources})
  target_include_directories(elman_ref PRIVATE include src)
endif()
