// Where Hark's own parts lie, in the build folder and under an installation prefix alike: found
// from where the running program is.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hark::places {

[[nodiscard]] std::filesystem::path program();      // this executable
[[nodiscard]] std::filesystem::path shim();         // socket_shim.so; throws Broken if it is gone
[[nodiscard]] std::filesystem::path scripts();      // the Python package's folder; likewise
[[nodiscard]] std::filesystem::path reports();      // templates and schema; likewise
[[nodiscard]] std::filesystem::path echo_server();  // the contract's program; likewise
[[nodiscard]] std::filesystem::path servers();      // recipes of servers to probe; likewise
[[nodiscard]] std::filesystem::path programs();     // little servers of Hark's own; likewise

// The adapters, by name, sorted; each is a file of that name in the folder of subjects, or in the
// one that the environment's HARK_SUBJECTS names: an adapter needs no place in Hark's own tree.  A
// name that both have is Hark's own.
[[nodiscard]] std::vector<std::string> adapters();
[[nodiscard]] std::optional<std::filesystem::path> adapter(const std::string& name);
// Whether it is one that Hark brought along.
[[nodiscard]] bool is_own(const std::filesystem::path& adapter);
// The mutants that were built, with mutants.json.  Throws Broken anywhere but in a build folder:
// they are not installed.
[[nodiscard]] std::filesystem::path mutants();
// Why an adapter of Hark's own was not built, by name: what it needs was not there.
[[nodiscard]] std::map<std::string, std::string> missing_adapters();
// What is expected of a subject (its expected.toml), if it has such a file.
[[nodiscard]] std::optional<std::filesystem::path> expectations(const std::string& name);

}  // namespace hark::places
