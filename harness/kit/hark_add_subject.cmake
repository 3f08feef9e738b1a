# hark_add_subject(NAME SOURCE... [LINKS TARGET...] [OUTPUT_DIRECTORY FOLDER])
#
# An adapter, NAME.so, as the target subject_NAME, with the expected.toml of the source folder beside
# it if there is one.  Within Hark and for whoever has found it by find_package(hark).
function(hark_add_subject name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_DIRECTORY" "LINKS")
  if(NOT arg_OUTPUT_DIRECTORY)
    set(arg_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  add_library(subject_${name} MODULE ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(subject_${name} PRIVATE hark::listener_api ${arg_LINKS})
  # The shim tells the subject's calls by their return address.  A function that ends in a call may
  # jump there instead, and the library's own last call would then seem to return to the harness.
  target_compile_options(subject_${name} PRIVATE -fno-optimize-sibling-calls)
  set_target_properties(subject_${name} PROPERTIES
      PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/expected.toml)
    configure_file(expected.toml ${arg_OUTPUT_DIRECTORY}/${name}.expected.toml COPYONLY)
  endif()
endfunction()
