// The document's example: a server that sends back what it is sent.
//
//   hark-echo-server [PORT]
//
// Written anew after the chapter's program, which shows how its functions are used together.  The
// cases of ECH_1 run it as a program of its own.

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace {

constexpr int default_port = 9876;

// Zero where the text is no port.
int port_from(std::string_view text) {
    int port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    return whole && port > 0 && port <= 65535 ? port : 0;
}

void send_back(bufferevent* connection, void*) {
    (void)evbuffer_add_buffer(bufferevent_get_output(connection),
                              bufferevent_get_input(connection));
}

void see_it_off(bufferevent* connection, short events, void*) {
    if ((events & BEV_EVENT_ERROR) != 0) std::perror("a connection failed");
    if ((events & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) bufferevent_free(connection);
}

void welcome(evconnlistener* listener, evutil_socket_t fd, sockaddr*, int, void*) {
    bufferevent* connection =
        bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(connection, &send_back, nullptr, &see_it_off, nullptr);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

void give_up(evconnlistener* listener, void*) {
    const int error = EVUTIL_SOCKET_ERROR();
    std::fprintf(stderr, "The listener got error %d (%s); shutting down.\n", error,
                 evutil_socket_error_to_string(error));
    (void)event_base_loopexit(evconnlistener_get_base(listener), nullptr);
}

}  // namespace

int main(int count, char** arguments) {
    const int port = count > 1 ? port_from(arguments[1]) : default_port;
    if (port == 0) {
        std::puts("Invalid port");
        return 1;
    }
    event_base* base = event_base_new();
    if (base == nullptr) {
        std::puts("Couldn't open event base");
        return 1;
    }
    sockaddr_in everywhere{};
    everywhere.sin_family = AF_INET;
    everywhere.sin_addr.s_addr = htonl(INADDR_ANY);
    everywhere.sin_port = htons(static_cast<in_port_t>(port));
    evconnlistener* listener = evconnlistener_new_bind(
        base, &welcome, nullptr, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
        reinterpret_cast<const sockaddr*>(&everywhere), sizeof everywhere);
    if (listener == nullptr) {
        std::perror("Couldn't create listener");
        return 1;
    }
    evconnlistener_set_error_cb(listener, &give_up);
    (void)event_base_dispatch(base);
    evconnlistener_free(listener);
    event_base_free(base);
    return 0;
}
