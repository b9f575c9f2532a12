# What `cmake --install` puts where, so that find_package(gradus) finds it.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/gradus")

install(TARGETS gradus EXPORT gradusTargets)
install(EXPORT gradusTargets NAMESPACE gradus:: DESTINATION "${package_dir}")
install(DIRECTORY ${rooms} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/gradus"
    FILES_MATCHING PATTERN "*.h")

configure_package_config_file(cmake/gradusConfig.cmake.in
    "${CMAKE_CURRENT_BINARY_DIR}/gradusConfig.cmake"
    INSTALL_DESTINATION "${package_dir}"
    NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/gradusConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES
    "${CMAKE_CURRENT_BINARY_DIR}/gradusConfig.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/gradusConfigVersion.cmake"
    cmake/FindOpenBLASOpenMP.cmake
    cmake/FindUtf8proc.cmake
    DESTINATION "${package_dir}")
