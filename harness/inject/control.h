// The socket by which a running injection is asked and told things: hark ctl is its other end.
//
// A question is one line of JSON, {"do": "on", "rule": 1}, and so is the answer; whoever is neither
// this user nor root is refused, whatever the file's permissions came to be (unix(7), SO_PEERCRED).
#pragma once

#include <poll.h>

#include <filesystem>
#include <list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/fd.h"
#include "harness/inject/injection.h"

namespace hark {

// XDG_RUNTIME_DIR, or a folder of this user's in /tmp that nobody else may enter.  Throws Broken
// where neither can be had.
[[nodiscard]] std::filesystem::path control_folder();
// All that are there, whether somebody still listens on them or not.
[[nodiscard]] std::vector<std::filesystem::path> control_sockets();

class Control {
  public:
    explicit Control(std::filesystem::path path);
    ~Control();
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    // What of it is on disk, the socket first.
    [[nodiscard]] std::vector<std::filesystem::path> leftovers() const;
    // What there is to wait for beside the command.
    [[nodiscard]] std::vector<int> descriptors() const;
    // Answers what has been asked so far; what waits for a rule to fire is answered when it has.
    void serve(Injection& injection);
    // Answers those who wait that it will not come about any more.
    void close(const Injection& injection);
    [[nodiscard]] bool is_asked_to_stop() const { return is_asked_to_stop_; }

  private:
    struct Client {
        Fd socket;
        std::string read;
        std::size_t rule = 0;     // with `count`: answered when this rule has fired so often
        std::uint32_t count = 0;  // zero: waits for nothing
        bool is_done = false;
    };
    void welcome();
    void hear(Client& client, Injection& injection);
    nlohmann::json answer(Client& client, const nlohmann::json& asked, Injection& injection);
    static void tell(Client& client, const nlohmann::json& answer);

    std::filesystem::path path_;
    Fd listener_;
    std::list<Client> clients_;
    bool is_asked_to_stop_ = false;
};

}  // namespace hark
