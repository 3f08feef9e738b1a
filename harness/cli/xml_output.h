// XML_OUTPUT_FILE: where Bazel and others want JUnit's XML, whatever else was asked for.
#pragma once

#include <string>
#include <vector>

namespace hark::cli {

class XmlOutput {
  public:
    // Where nobody asked for results files they are made in a folder that goes with this.
    explicit XmlOutput(std::string& out);
    ~XmlOutput();
    XmlOutput(const XmlOutput&) = delete;
    XmlOutput& operator=(const XmlOutput&) = delete;

    // Of what the campaign wrote; those that are "" were not.  Gives the exit status: where the
    // report cannot be made, Hark could not do its part.
    [[nodiscard]] int write(const std::vector<std::string>& results, int exit_status) const;
    // Whether a results file is on its way to the user as well.
    [[nodiscard]] bool has_own_folder() const { return !folder_.empty(); }

  private:
    std::string file_;
    std::string folder_;
};

}  // namespace hark::cli
