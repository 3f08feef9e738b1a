# Read by ctest, not by CMake: what hark_discover_cases() was given, as tests.  ctest's own add_test and
# set_tests_properties know no generator expressions.

cmake_policy(VERSION 3.25)

# A test that fails and says why, where there should have been many.
function(hark_say_what_is_wrong name)
  add_test("${arg_TEST_PREFIX}${name}" ${ARGN})
  set_tests_properties("${arg_TEST_PREFIX}${name}" PROPERTIES WORKING_DIRECTORY "${arg_WORKING_DIRECTORY}")
endfunction()

function(hark_add_case id runs clause level slow)
  set(test "${arg_TEST_PREFIX}${id}")
  set(command "${hark}" run --subject "${subject}" --filter "${runs}" --jobs 1 --quiet
      --unsupported-status 77 --out "${arg_OUTPUT_DIRECTORY}/${id}")
  set(labels ${clause} ${level} ${arg_LABELS})
  if(slow)
    list(APPEND command --slow)
    list(APPEND labels slow)
  endif()
  add_test("${test}" ${command})
  # Hark ends a run that hangs by itself, and says so; this is for when it cannot.
  set_tests_properties("${test}" PROPERTIES
      SKIP_RETURN_CODE 77 TIMEOUT 120 WORKING_DIRECTORY "${arg_WORKING_DIRECTORY}" LABELS "${labels}"
      ${arg_PROPERTIES})
endfunction()

set(hark_list list cases --columns id,case,clause,level,slow)
foreach(each IN LISTS arg_CLAUSES)
  list(APPEND hark_list --clause "${each}")
endforeach()
foreach(each IN LISTS arg_FILTERS)
  list(APPEND hark_list --filter "${each}")
endforeach()
set(hark_cases "")
set(hark_status "it is not there")
if(EXISTS "${hark}")
  execute_process(COMMAND "${hark}" ${hark_list}
      OUTPUT_VARIABLE hark_cases RESULT_VARIABLE hark_status ERROR_QUIET)
endif()

if(subject MATCHES "/" AND NOT EXISTS "${subject}")
  hark_say_what_is_wrong(NOT_BUILT "${hark}" run --subject "${subject}")
elseif(NOT hark_status STREQUAL "0")
  hark_say_what_is_wrong(NO_CASES "${hark}" ${hark_list})
else()
  # Of each test in order: the runs that it is made of, one or all variants of one case.
  set(names "")
  string(REGEX MATCHALL "[^\n]+" lines "${hark_cases}")
  foreach(line IN LISTS lines)
    string(REGEX MATCHALL "[^ ]+" line "${line}")
    list(GET line 0 id)
    list(GET line 1 case)
    list(SUBLIST line 2 3 of_case)
    list(GET line 4 slow)
    if(slow AND NOT arg_SLOW)
      continue()
    endif()
    set(name "${case}")
    if(arg_EACH_VARIANT)
      set(name "${id}")
    endif()
    if(NOT name IN_LIST names)
      list(APPEND names "${name}")
      set(of_${name} ${of_case})
      set(runs_${name} "")
    endif()
    string(APPEND runs_${name} "${id},")
  endforeach()
  foreach(name IN LISTS names)
    hark_add_case("${name}" "${runs_${name}}" ${of_${name}})
  endforeach()
endif()
