// The subject as the stage holds it: an exception that leaves one of its functions is known as the
// subject's, and so is never taken for a failure of the harness.
#pragma once

#include <stdexcept>
#include <string>

#include "harness/subject/listener_api.h"

namespace hark {

struct SubjectThrew : std::runtime_error {
    using runtime_error::runtime_error;
};

class GuardedSubject final : public Subject {
  public:
    explicit GuardedSubject(Subject& inner) : inner_(inner) {}

    Identity identity() const override;
    std::string lacks(Feature feature) const override;
    std::string lacks_flag(unsigned flag) const override;
    std::string always_flag(unsigned flag) const override;
    int use_threads() override;
    ForeignLoop* loop_new() override;
    void loop_free(ForeignLoop* loop) override;
    int loop_turn(ForeignLoop* loop) override;
    int loop_run(ForeignLoop* loop) override;
    int loop_wait(ForeignLoop* loop) override;
    void loop_exit(ForeignLoop* loop) override;
    void loop_break(ForeignLoop* loop) override;
    ForeignListener* listener_new(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                  unsigned flags, int backlog, int fd) override;
    ForeignListener* listener_new_bind(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                       unsigned flags, int backlog, const sockaddr* address,
                                       int length) override;
    void listener_free(ForeignListener* one) override;
    int listener_enable(ForeignListener* one) override;
    int listener_disable(ForeignListener* one) override;
    void listener_set_cb(ForeignListener* one, AcceptCallback callback, void* argument) override;
    void listener_set_error_cb(ForeignListener* one, ErrorCallback callback) override;
    int listener_get_fd(ForeignListener* one) override;
    ForeignLoop* listener_get_base(ForeignListener* one) override;

    // The object file that the adapter's own code is in.
    [[nodiscard]] std::string adapter_file() const;

  private:
    Subject& inner_;
};

}  // namespace hark
