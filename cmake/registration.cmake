# One op, kernel, pass or command = one file NAME.cpp that defines `void NAME(Registry&)` in a namespace. This writes the list of a folder's
# files, so that adding a file is all it takes (a linker would drop self-registering objects of a static library), and the function
# `const Registry& ACCESSOR()` that the header declares: the registry with all of them in it.
#   stair_register(TARGET FOLDER NAMESPACE REGISTRY HEADER [ACCESSOR])
function(stair_register target folder namespace registry header)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  set(declarations "")
  set(calls "")
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    string(APPEND declarations "void ${name}(${registry}&);\n")
    string(APPEND calls "  ${name}(registry);\n")
  endforeach()
  set(accessor "")
  if(ARGC GREATER 5)
    set(accessor
"auto ${ARGV5}() -> const ${registry}& {
  static const ${registry} all = [] {
    ${registry} registry;
    ${namespace}::register_all(registry);
    return registry;
  }();
  return all;
}
")
  endif()
  string(REPLACE "/" "_" stem ${folder})
  set(list ${CMAKE_BINARY_DIR}/generated/${stem}.cpp)
  file(CONFIGURE OUTPUT ${list} CONTENT
"// The files of ${folder}, listed by cmake/registration.cmake.
#include \"${header}\"
namespace ${namespace} {
${declarations}
void register_all(${registry}& registry);
void register_all([[maybe_unused]] ${registry}& registry) {
${calls}}
}  // namespace ${namespace}
${accessor}" @ONLY)
  target_sources(${target} PRIVATE ${files} ${list})
endfunction()
