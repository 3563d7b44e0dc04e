# The variants of the int8 engine and what each is compiled with: one folder of backends/int8 each, best last. The scalar one is
# on every processor.
set(int8_variants scalar)
set(int8_flags_scalar $<$<CONFIG:Release>:-O2>)  # more unrolls loops that are unrolled already, for three times the build
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND int8_variants avx2 avx512_vnni amx)
  set(int8_flags_avx2 -mavx2)
  set(int8_flags_avx512_vnni -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx512vnni)
  set(int8_flags_amx ${int8_flags_avx512_vnni} -mamx-tile -mamx-int8 -mamx-bf16 -mavx512bf16)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  list(APPEND int8_variants neon neon_dot)
  set(int8_flags_neon "")
  set(int8_flags_neon_dot -march=armv8.2-a+dotprod)
endif()

# Each variant's files fill its part of the table of kernels. Precompiled headers would bring inline functions with external linkage into
# files with other flags (backends/int8/kernels.h).
function(stair_int8_variants target)
  foreach(variant IN LISTS int8_variants)
    set(flags ${int8_flags_${variant}} ${STAIR_LOOP_FLAGS})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      list(APPEND flags -Wno-maybe-uninitialized -Wno-uninitialized)  # false alarms in the compiler's own headers, GCC bug 105593
    endif()
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/backends/int8/${variant}/*.cpp)
    set_source_files_properties(${files} PROPERTIES COMPILE_OPTIONS "${flags}" SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
    stair_register(${target} backends/int8/${variant} stair::backends::int8::${variant} Kernels "backends/int8/kernels.h")
  endforeach()
endfunction()
