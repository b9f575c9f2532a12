# The OpenMP build of OpenBLAS, and no other, as OpenBLASOpenMP::OpenBLASOpenMP.
#
# Its threads are then the ones our own loops use. Debian keeps the pthread, serial and OpenMP builds
# in folders of their own behind one changing link, so the folder is searched for by name and also
# put into the run path: what was linked is what is loaded.
#
# To use another copy: -DOpenBLASOpenMP_LIBRARY=FILE -DOpenBLASOpenMP_INCLUDE_DIR=FOLDER.

find_path(OpenBLASOpenMP_INCLUDE_DIR cblas.h
    PATH_SUFFIXES "${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp" openblas-openmp openblas)
find_library(OpenBLASOpenMP_LIBRARY NAMES openblas openblaso
    PATH_SUFFIXES "${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp" openblas-openmp)
mark_as_advanced(OpenBLASOpenMP_INCLUDE_DIR OpenBLASOpenMP_LIBRARY)

set(failure "On Debian and Ubuntu: apt install libopenblas-openmp-dev")

# 0 is a serial build, 1 pthreads, 2 OpenMP.
if(OpenBLASOpenMP_INCLUDE_DIR AND OpenBLASOpenMP_LIBRARY AND NOT CMAKE_CROSSCOMPILING
   AND NOT OpenBLASOpenMP_CHECKED STREQUAL OpenBLASOpenMP_LIBRARY)
    set(probe "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/openblas_probe.cpp")
    file(WRITE "${probe}"
        "#include <cblas.h>\nint main() { return openblas_get_parallel(); }\n")
    get_filename_component(folder "${OpenBLASOpenMP_LIBRARY}" DIRECTORY)
    try_run(ran compiled "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/openblas_probe" "${probe}"
        CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${OpenBLASOpenMP_INCLUDE_DIR}"
        LINK_OPTIONS "-Wl,-rpath,${folder}"
        LINK_LIBRARIES "${OpenBLASOpenMP_LIBRARY}"
        COMPILE_OUTPUT_VARIABLE probe_output)
    if(NOT compiled)
        set(failure "A program with ${OpenBLASOpenMP_LIBRARY} does not build:\n${probe_output}")
    elseif(NOT ran EQUAL 2)
        set(failure "${OpenBLASOpenMP_LIBRARY} is not OpenBLAS's OpenMP build \
(openblas_get_parallel() gave ${ran}, expected 2). ${failure}, or see ${CMAKE_CURRENT_LIST_FILE}")
    endif()
    if(ran EQUAL 2)
        set(OpenBLASOpenMP_CHECKED "${OpenBLASOpenMP_LIBRARY}" CACHE INTERNAL "found to be OpenMP")
    else()
        unset(OpenBLASOpenMP_LIBRARY CACHE)
    endif()
    unset(ran CACHE)
    unset(compiled CACHE)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenBLASOpenMP
    REQUIRED_VARS OpenBLASOpenMP_LIBRARY OpenBLASOpenMP_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "${failure}")

if(OpenBLASOpenMP_FOUND AND NOT TARGET OpenBLASOpenMP::OpenBLASOpenMP)
    get_filename_component(folder "${OpenBLASOpenMP_LIBRARY}" DIRECTORY)
    add_library(OpenBLASOpenMP::OpenBLASOpenMP UNKNOWN IMPORTED)
    set_target_properties(OpenBLASOpenMP::OpenBLASOpenMP PROPERTIES
        IMPORTED_LOCATION "${OpenBLASOpenMP_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${OpenBLASOpenMP_INCLUDE_DIR}"
        INTERFACE_LINK_OPTIONS "-Wl,-rpath,${folder}")
endif()
