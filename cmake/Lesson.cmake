# gradus_lesson(FOLDER): everything that is built from one lesson.
#
#   lesson-NN              the experiment, from lesson.cpp
#   check-NN               check.cpp on the reader's exercise.h
#   check-NN-solution      check.cpp on solution.h
#   check-NN-mutant-NAME   check.cpp on solution.h with mutants/NAME.patch applied
#
# check.cpp includes "exercise.h", and the compiler looks for that beside check.cpp. So each variant
# has a folder of its own, in the build tree, with a copy of check.cpp and with its exercise.h: no
# search order can mix up the reader's work and ours.

find_package(CLI11 REQUIRED)

function(gradus_lesson folder)
    get_filename_component(name "${folder}" NAME)
    string(REGEX MATCH "^[0-9]+" number "${name}")

    add_executable(lesson-${number} "${folder}/lesson.cpp")
    target_link_libraries(lesson-${number} PRIVATE gradus-lessons)
    gradus_warnings(lesson-${number})

    if(EXISTS "${folder}/check.cpp")
        gradus_check(check-${number} "${folder}/check.cpp")
        gradus_check_variant(solution "")
        file(GLOB mutants CONFIGURE_DEPENDS "${folder}/mutants/*.patch")
        foreach(mutant IN LISTS mutants)
            get_filename_component(stem "${mutant}" NAME_WE)
            gradus_check_variant("mutant-${stem}" "${mutant}")
        endforeach()
    endif()

    if(GRADUS_TESTS)
        gradus_lesson_tests()
    endif()
endfunction()

function(gradus_check target)
    add_executable(${target} ${ARGN})
    target_link_libraries(${target} PRIVATE gradus-lessons gradus-test-main)
    gradus_warnings(${target})
endfunction()

# check.cpp on solution.h, changed by `patch` unless that is empty. A macro-like helper of
# gradus_lesson: it reads its `folder`, `name` and `number`.
function(gradus_check_variant variant patch)
    set(place "${CMAKE_CURRENT_BINARY_DIR}/${name}/${variant}")
    file(MAKE_DIRECTORY "${place}")
    set(make_exercise ${CMAKE_COMMAND} -E copy "${folder}/solution.h" "${place}/exercise.h")
    if(patch)
        # A patch that no longer fits its solution must fail, neither guess nor ask.
        set(make_exercise patch --silent --force --fuzz=0 --reject-file=- "--output=${place}/exercise.h"
            "${folder}/solution.h" "${patch}")
    endif()
    add_custom_command(OUTPUT "${place}/exercise.h"
        COMMAND ${make_exercise}
        DEPENDS "${folder}/solution.h" ${patch} VERBATIM)
    add_custom_command(OUTPUT "${place}/check.cpp"
        COMMAND ${CMAKE_COMMAND} -E copy "${folder}/check.cpp" "${place}/check.cpp"
        DEPENDS "${folder}/check.cpp" VERBATIM)

    gradus_check(check-${number}-${variant} "${place}/check.cpp" "${place}/exercise.h")
    if(patch)  # A mistake may well leave a variable unused.
        target_compile_options(check-${number}-${variant} PRIVATE -w)
    endif()
    if(NOT GRADUS_TESTS)
        set_target_properties(check-${number}-${variant} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
endfunction()

# The tests of gradus_lesson's lesson: lesson-NN/solution, /stub, /mutant/NAME and /quick.
function(gradus_lesson_tests)
    set(judge bash "${PROJECT_SOURCE_DIR}/cmake/judge_check.sh")
    if(TARGET check-${number})
        add_test(NAME lesson-${number}/stub
            COMMAND ${judge} stub $<TARGET_FILE:check-${number}>)
        add_test(NAME lesson-${number}/solution
            COMMAND ${judge} solution $<TARGET_FILE:check-${number}-solution>)
        foreach(mutant IN LISTS mutants)
            get_filename_component(stem "${mutant}" NAME_WE)
            add_test(NAME lesson-${number}/mutant/${stem}
                COMMAND ${judge} mutant $<TARGET_FILE:check-${number}-mutant-${stem}> "${mutant}")
        endforeach()
    endif()

    gradus_quick(quick generated)
    # The small real set that expected.json names, for what only real files can show.
    set(expected "{}")
    if(EXISTS "${folder}/expected.json")
        file(READ "${folder}/expected.json" expected)
    endif()
    string(JSON smoke ERROR_VARIABLE none GET "${expected}" smoke)
    if(NOT none)
        gradus_quick(${smoke} "${PROJECT_SOURCE_DIR}/.data/${smoke}")
    endif()
endfunction()

# One quick run of the lesson; skipped, and said so, where data that it needs is not here.
function(gradus_quick test data)
    set(workplace "${CMAKE_CURRENT_BINARY_DIR}/${name}/${test}")
    file(MAKE_DIRECTORY "${workplace}")
    add_test(NAME lesson-${number}/${test} WORKING_DIRECTORY "${workplace}"
        COMMAND bash -c "[[ $1 == generated || -e $1 ]] || exit 77; exec \"$0\" --quick --data \"$1\""
            $<TARGET_FILE:lesson-${number}> "${data}")
    # RUN_SERIAL: a lesson uses every core, and its time is part of what is tested.
    set_tests_properties(lesson-${number}/${test} PROPERTIES
        LABELS lesson TIMEOUT 600 RUN_SERIAL ON SKIP_RETURN_CODE 77)
endfunction()
