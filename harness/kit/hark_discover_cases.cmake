# hark_discover_cases(TARGET | SUBJECT WORD
#     [TEST_PREFIX PREFIX] [CLAUSES CLAUSE...] [FILTERS GLOB...] [EACH_VARIANT] [SLOW]
#     [OUTPUT_DIRECTORY FOLDER] [WORKING_DIRECTORY FOLDER] [LABELS LABEL...] [PROPERTIES NAME VALUE...])
#
# Each case that Hark has becomes a CTest test of this subject: of TARGET, a library or an adapter that
# this project builds, or of what `hark run --subject WORD` takes.  ctest asks Hark for the cases when it
# begins, so that another Hark, or another subject, needs no new configuration.
#
#   TEST_PREFIX        before the case's id; unless given, the subject's name and a slash
#   CLAUSES, FILTERS   only these, as --clause and --filter of `hark list cases`
#   EACH_VARIANT       a test for each variant of a case, not one for all of them
#   SLOW               also the cases that wait for the kernel's clock
#   OUTPUT_DIRECTORY   where each test has a folder for its results; unless given, hark-cases/ and the
#                      subject's name, in the folder of this project's build
#   WORKING_DIRECTORY  where hark is started
#   LABELS             beside those that each test has: its clause, the clause's level, and slow
#   PROPERTIES         of every test, as for set_tests_properties()
#
# A case of what the subject lacks is skipped; what stands in its expected.toml passes while it holds.
function(hark_discover_cases)
  cmake_parse_arguments(PARSE_ARGV 0 arg "EACH_VARIANT;SLOW"
      "SUBJECT;TEST_PREFIX;OUTPUT_DIRECTORY;WORKING_DIRECTORY" "CLAUSES;FILTERS;LABELS;PROPERTIES")
  list(LENGTH arg_UNPARSED_ARGUMENTS places)
  if(arg_SUBJECT AND places EQUAL 0)
    set(subject ${arg_SUBJECT})
    cmake_path(GET arg_SUBJECT STEM name)
  elseif(NOT arg_SUBJECT AND places EQUAL 1 AND TARGET "${arg_UNPARSED_ARGUMENTS}")
    set(subject $<TARGET_FILE:${arg_UNPARSED_ARGUMENTS}>)
    string(REGEX REPLACE "^subject_" "" name ${arg_UNPARSED_ARGUMENTS})
  else()
    message(FATAL_ERROR "hark_discover_cases: a target or SUBJECT and a word was expected, not: ${ARGV}")
  endif()
  if(arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "hark_discover_cases: no value for ${arg_KEYWORDS_MISSING_VALUES}")
  endif()
  if(NOT DEFINED arg_TEST_PREFIX)
    set(arg_TEST_PREFIX ${name}/)
  endif()
  if(NOT arg_OUTPUT_DIRECTORY)
    set(arg_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/hark-cases/${name})
  endif()
  if(NOT arg_WORKING_DIRECTORY)
    set(arg_WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  if(arg_SUBJECT MATCHES "/")
    cmake_path(ABSOLUTE_PATH subject BASE_DIRECTORY ${arg_WORKING_DIRECTORY} NORMALIZE)
  endif()

  # What ctest reads when it begins.  Only the generator knows where targets lie, and for one that has
  # several configurations they lie in several places.
  string(MAKE_C_IDENTIFIER "${arg_TEST_PREFIX}${name}" file)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/hark_cases_${file})
  get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  set(of_configuration "")
  set(asked_for "")
  if(is_multi_config)
    set(of_configuration "-$<CONFIG>")
    set(asked_for "-\${CTEST_CONFIGURATION_TYPE}")
  endif()
  set(text "set(hark [==[$<TARGET_FILE:hark::hark>]==])\nset(subject [==[${subject}]==])\n")
  foreach(option IN ITEMS TEST_PREFIX CLAUSES FILTERS EACH_VARIANT SLOW OUTPUT_DIRECTORY
          WORKING_DIRECTORY LABELS PROPERTIES)
    string(APPEND text "set(arg_${option} [==[${arg_${option}}]==])\n")
  endforeach()
  string(APPEND text "include([==[${CMAKE_CURRENT_FUNCTION_LIST_DIR}/hark_cases_as_tests.cmake]==])\n")
  file(GENERATE OUTPUT ${file}${of_configuration}.cmake CONTENT "${text}")
  file(WRITE ${file}_include.cmake "include(\"${file}${asked_for}.cmake\")\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${file}_include.cmake)
endfunction()
