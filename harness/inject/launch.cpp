#include "harness/inject/launch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/fd.h"
#include "harness/must.h"
#include "harness/places.h"

namespace hark {

namespace {

// What the child says when it does not come to be the command: an errno and, where it was not exec
// that failed, a sentence.
struct Failure {
    int error = 0;
    std::string what;
};

// ld.so(8): the first comes first.
std::string preloaded() {
    const std::string own = places::shim().string();
    const char* others = std::getenv("LD_PRELOAD");
    return others == nullptr || *others == '\0' ? own : own + ':' + others;
}

[[noreturn]] void give_up(const Fd& to, int error, const std::string& what) {
    (void)!::write(to.get(), &error, sizeof error);
    (void)!::write(to.get(), what.data(), what.size());
    ::_exit(127);
}

void set_environment(const InjectRequest& request, const std::filesystem::path& ledger,
                     const std::string& preload, bool has_shim) {
    for (const std::string& each : request.environment) {
        const auto equals = each.find('=');
        must(::setenv(each.substr(0, equals).c_str(), each.substr(equals + 1).c_str(), 1),
             "set " + each + " in the environment");
    }
    if (!has_shim) return;
    must(::setenv("LD_PRELOAD", preload.c_str(), 1), "set LD_PRELOAD");
    must(::setenv("HARK_LEDGER", ledger.c_str(), 1), "set HARK_LEDGER");
}

// sendmmsg(2) and not sendmsg, which the filter may already have under its eyes, and nobody answers
// before this has arrived.
void send_descriptor(const Fd& to, int descriptor) {
    char byte = 0;
    iovec part{&byte, 1};
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof descriptor)] = {};
    mmsghdr message{};
    message.msg_hdr.msg_iov = &part;
    message.msg_hdr.msg_iovlen = 1;
    message.msg_hdr.msg_control = room;
    message.msg_hdr.msg_controllen = sizeof room;
    cmsghdr* const head = CMSG_FIRSTHDR(&message.msg_hdr);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
    must(::sendmmsg(to.get(), &message, 1, 0), "hand over the notifications of system calls");
}

// Closed if the other end sends none before it closes.
Fd receive_descriptor(const Fd& from) {
    char byte = 0;
    iovec part{&byte, 1};
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    ssize_t got = 0;
    do {
        got = ::recvmsg(from.get(), &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    const cmsghdr* const head = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return {};
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(head), sizeof descriptor);
    return Fd(descriptor);
}

void put_under_filter(const Equipment& equipment, const Fd& to) {
    const int told = shim::install(*equipment.filter);
    if (told >= 0) return send_descriptor(to, told);
    if (equipment.needs_filter) {
        throw Broken("the kernel does not allow a filter of system calls", Errno(-told));
    }
}

// What the child has in its hands until it is the command.
struct Errand {
    const InjectRequest& request;
    const Equipment& equipment;
    shim::Ledger& ledger;
    const std::filesystem::path& ledger_path;
    std::string preload;
    Fd failure;
    Fd channel;
};

[[noreturn]] void become(const Errand& errand) {
    const InjectRequest& request = errand.request;
    std::vector<char*> words;
    for (const std::string& word : request.command) {
        words.push_back(const_cast<char*>(word.c_str()));  // as exec(3) has it, for old times' sake
    }
    words.push_back(nullptr);
    try {
        if (!request.follows) errand.ledger.family.only = ::getpid();
        if (request.in_child) request.in_child();
        set_environment(request, errand.ledger_path, errand.preload, errand.equipment.has_shim);
        if (errand.equipment.filter) put_under_filter(errand.equipment, errand.channel);
    } catch (const std::exception& trouble) {
        give_up(errand.failure, 0, trouble.what());
    }
    ::execvp(words.front(), words.data());
    give_up(errand.failure, errno, "");
}

Failure failure_told(const Fd& from) {
    Failure failure;
    const ssize_t got = ::read(from.get(), &failure.error, sizeof failure.error);
    if (got != sizeof failure.error) return {};
    char text[512];
    for (ssize_t size = 0; (size = ::read(from.get(), text, sizeof text)) > 0;) {
        failure.what.append(text, static_cast<std::size_t>(size));
    }
    if (failure.what.empty() && failure.error == 0) failure.what = "the child ended";
    return failure;
}

void raise(const Failure& failure, const std::string& command) {
    if (!failure.what.empty()) throw Broken(failure.what);
    const Errno error(failure.error);
    if (error == Errno(ENOENT) && !std::filesystem::exists(command)) {
        throw BadCommand("there is no command '" + command + "'", true);
    }
    throw BadCommand("'" + command + "' cannot be run: " + error.text(), false);
}

}  // namespace

Launch::Launch(const InjectRequest& request, const Equipment& equipment, shim::Ledger& ledger,
               const std::filesystem::path& ledger_path) {
    int ends[2];
    must(::pipe2(ends, O_CLOEXEC), "a pipe from the command");
    failure_.reset(ends[0]);
    Fd failure(ends[1]);
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "a channel to the command");
    const Fd from(ends[0]);
    Errand errand{request,     equipment,          ledger,     ledger_path,
                  preloaded(), std::move(failure), Fd(ends[1])};
    process_ = must(::fork(), "fork the command");
    if (process_ == 0) become(errand);
    errand.failure.reset();
    errand.channel.reset();
    if (equipment.filter) notifications_ = receive_descriptor(from);
}

void Launch::confirm(const std::string& command) {
    const Failure failure = failure_told(failure_);
    if (failure.what.empty() && failure.error == 0) return;
    (void)::waitpid(process_, nullptr, 0);
    raise(failure, command);
}

}  // namespace hark
