# Read by CPack once Hark is installed in the folder that becomes the package: what Debian's policy wants
# beside it, with the names and the compression that it asks for.
set(share ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share)
set(documents ${share}/doc/hark)

file(MAKE_DIRECTORY ${documents} ${share}/lintian/overrides)
configure_file(${CPACK_HARK_COPYRIGHT} ${documents}/copyright COPYONLY)
configure_file(${CPACK_HARK_CHANGELOG} ${documents}/changelog COPYONLY)
configure_file(${CPACK_HARK_NEWS} ${documents}/NEWS.md COPYONLY)
configure_file(${CPACK_HARK_OVERRIDES} ${share}/lintian/overrides/hark COPYONLY)

file(GLOB compressed ${share}/man/man1/*.1 ${documents}/changelog ${documents}/NEWS.md)
execute_process(COMMAND gzip --best --no-name --force ${compressed} COMMAND_ERROR_IS_FATAL ANY)
