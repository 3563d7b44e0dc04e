# What `cmake --install BUILD --prefix PREFIX` lays out: the driver, the header of plug-ins, a CMake package for them, schemas, documentation.
# The C++ libraries stay in the build tree: their interfaces change with every version. The C header is what others may rely on.
#   find_package(Staircase): Staircase::plugin, an interface library with the header; Staircase::stair, the driver
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(stair_plugin INTERFACE)
set_target_properties(stair_plugin PROPERTIES EXPORT_NAME plugin)
target_include_directories(stair_plugin INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/backends> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Staircase)
install(TARGETS stair stair_plugin EXPORT Staircase)
install(EXPORT Staircase NAMESPACE Staircase:: FILE StaircaseConfig.cmake DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/generated/StaircaseConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/generated/StaircaseConfigVersion.cmake DESTINATION ${package})
install(FILES backends/stair_plugin.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES docs/schemas/model.schema.json docs/schemas/experiment.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/staircase)
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
