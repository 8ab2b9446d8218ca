#include "loop/http_internal.h"

#include "base/memory.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096, KEEPALIVE_IDLE_S = 60, KEEPALIVE_STEP_S = 15, KEEPALIVE_COUNT = 4 };

/* ---- accepting ---- */

/* Over a cap: a word where one can be said without waiting, then the end. */
static void shed(struct listener *listener, int fd, const char *peer, const char *code)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                                 "Retry-After: 1\r\nConnection: close\r\n\r\n";
    if (listener->tls == NULL) {
        (void)!send(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    close(fd);
    server_note(listener->server, HTTP_NOTE_SHED, listener->tls == NULL ? 503 : 0, peer, code);
}

/* No descriptor is left: turns one waiting client away with the spare one, so that it does not
 * hang, and looks again after a pause, since the listening socket stays readable. */
static void on_no_descriptors(struct listener *listener)
{
    struct http_server *server = listener->server;
    if (server->spare_fd >= 0) {
        close(server->spare_fd);
        int fd = accept4(listener->io.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            shed(listener, fd, "", "no_descriptors");
        }
    }
    server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    server_note(server, HTTP_NOTE_DESCRIPTORS, 0, "", "no_descriptors");
    listeners_pause(server);
}

static void peer_text(const struct sockaddr *address, char out[INET6_ADDRSTRLEN])
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, address, sizeof(ipv4));
        inet_ntop(AF_INET, &ipv4.sin_addr, out, INET6_ADDRSTRLEN);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, address, sizeof(ipv6));
        inet_ntop(AF_INET6, &ipv6.sin6_addr, out, INET6_ADDRSTRLEN);
    } else {
        snprintf(out, INET6_ADDRSTRLEN, "unix");
    }
}

static void enter(struct listener *listener, int fd, const struct sockaddr *address)
{
    struct http_server *server = listener->server;
    const struct http_limits *limits = &server->options.limits;
    char peer[INET6_ADDRSTRLEN];
    peer_text(address, peer);
    if (server->connection_count >= limits->connections_max) {
        shed(listener, fd, peer, "too_many_connections");
        return;
    }
    uint64_t key = addresses_key(address);
    if (!addresses_enter(&server->addresses, key, limits->connections_per_address_max)) {
        shed(listener, fd, peer, "too_many_connections_of_address");
        return;
    }
    struct http_exchange *connection = connection_create(listener, fd, key);
    memcpy(connection->peer, peer, sizeof(connection->peer));
}

static void on_acceptable(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev, (void)events;
    struct listener *listener = watcher->data;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage address = {0};
        socklen_t length = sizeof(address);
        int fd = accept4(watcher->fd, (struct sockaddr *)&address, &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            enter(listener, fd, (const struct sockaddr *)&address);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            on_no_descriptors(listener);
        }
        if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

void listeners_pause(struct http_server *server)
{
    for (struct listener *listener = server->listeners; listener; listener = listener->next) {
        ev_io_stop(server->loop->ev, &listener->io);
    }
    ev_timer_stop(server->loop->ev, &server->accept_pause);
    ev_timer_set(&server->accept_pause, ACCEPT_PAUSE_MS / 1000.0, 0.0);
    ev_timer_start(server->loop->ev, &server->accept_pause);
}

void listeners_resume(struct http_server *server)
{
    for (struct listener *listener = server->listeners; listener; listener = listener->next) {
        if (listener->io.fd >= 0) {
            ev_io_start(server->loop->ev, &listener->io);
        }
    }
}

/* ---- opening ---- */

static bool fail(struct error *error, const char *what, const char *subject, const char *advice)
{
    return error_set(error, ERROR_INVALID, "listen", subject, "cannot %s `%s`: %s; %s", what,
                     subject, strerror(errno), advice);
}

/* Accepted sockets inherit these. Keep-alive finds peers that have vanished under a long wait. */
static void set_tcp_options(int fd)
{
    static const struct {
        int level;
        int name;
        int value;
    } settings[] = {
        {SOL_SOCKET, SO_REUSEADDR, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_STEP_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT},
    };
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        (void)setsockopt(fd, settings[i].level, settings[i].name, &settings[i].value,
                         sizeof(settings[i].value));
    }
}

static bool make_address(const struct http_listener_options *options, struct sockaddr_storage *out,
                         socklen_t *out_length)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(options->port)};
    if (inet_pton(AF_INET, options->address, &ipv4.sin_addr) == 1) {
        memcpy(out, &ipv4, sizeof(ipv4));
        *out_length = sizeof(ipv4);
        return true;
    }
    if (inet_pton(AF_INET6, options->address, &ipv6.sin6_addr) == 1) {
        memcpy(out, &ipv6, sizeof(ipv6));
        *out_length = sizeof(ipv6);
        return true;
    }
    return false;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    struct sockaddr_in6 ipv6; /* the port is at the same place in both families */
    memcpy(&ipv6, &address, sizeof(ipv6));
    return ntohs(ipv6.sin6_port);
}

static bool open_tcp(const struct http_listener_options *options, int *out_fd, uint16_t *out_port,
                     struct error *error)
{
    struct sockaddr_storage address = {0};
    socklen_t length = 0;
    if (options->address == NULL || !make_address(options, &address, &length)) {
        return error_set(error, ERROR_INVALID, "listen", options->address,
                         "`%s` is not a numeric address; use one such as `127.0.0.1` or `::1`",
                         options->address == NULL ? "" : options->address);
    }
    char subject[INET6_ADDRSTRLEN + 16];
    snprintf(subject, sizeof(subject), "%s port %u", options->address, (unsigned)options->port);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(error, "open a socket for", subject, "raise the descriptor limit");
    }
    set_tcp_options(fd);
    if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, BACKLOG) != 0) {
        fail(error, "listen on", subject, "choose an address of this machine and a free port");
        close(fd);
        return false;
    }
    *out_fd = fd;
    *out_port = bound_port(fd);
    return true;
}

/* A socket nobody answers on is left over from a crash; one with a listener is another gateway. */
static bool remove_stale(const struct sockaddr_un *address, struct error *error)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0) {
        return errno == ENOENT || fail(error, "look at", address->sun_path, "check the directory");
    }
    if (!S_ISSOCK(status.st_mode)) {
        return error_set(error, ERROR_INVALID, "listen", address->sun_path,
                         "`%s` exists and is not a socket; choose another path", address->sun_path);
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool is_alive =
        probe >= 0 && (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
                       errno != ECONNREFUSED);
    if (probe >= 0) {
        close(probe);
    }
    if (is_alive) {
        return error_set(error, ERROR_CONFLICT, "listen", address->sun_path,
                         "another process listens on `%s`; stop it or choose another path",
                         address->sun_path);
    }
    return unlink(address->sun_path) == 0 ||
           fail(error, "remove", address->sun_path, "remove the left-over socket");
}

static bool open_unix(const struct http_listener_options *options, int *out_fd, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(options->socket_path) >= sizeof(address.sun_path)) {
        return error_set(error, ERROR_INVALID, "listen", options->socket_path,
                         "a socket path has at most %zu bytes; choose a shorter one",
                         sizeof(address.sun_path) - 1);
    }
    memcpy(address.sun_path, options->socket_path, strlen(options->socket_path));
    if (!remove_stale(&address, error)) {
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(error, "open a socket for", options->socket_path, "raise the descriptor limit");
    }
    /* The mode is set on the socket before it has a name: no moment with wider rights. */
    if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(options->socket_path, 0600) != 0 || listen(fd, BACKLOG) != 0) {
        fail(error, "listen on", options->socket_path, "choose a path in a writable directory");
        close(fd);
        return false;
    }
    *out_fd = fd;
    return true;
}

/* ---- life ---- */

static const char *const *copy_names(const char *const *names)
{
    if (names == NULL) {
        return NULL;
    }
    size_t count = 0;
    while (names[count] != NULL) {
        count++;
    }
    const char **copies = memory_zeroed(count + 1, sizeof(*copies));
    for (size_t i = 0; i < count; i++) {
        copies[i] = memory_text(names[i]);
    }
    return copies;
}

static void own_texts(struct http_listener_options *options)
{
    options->address = memory_text(options->address);
    options->socket_path = memory_text(options->socket_path);
    options->certificate_file = memory_text(options->certificate_file);
    options->key_file = memory_text(options->key_file);
    options->client_ca_file = memory_text(options->client_ca_file);
    options->host_names = copy_names(options->host_names);
}

static void free_texts(struct http_listener_options *options)
{
    free((char *)options->address);
    free((char *)options->socket_path);
    free((char *)options->certificate_file);
    free((char *)options->key_file);
    free((char *)options->client_ca_file);
    for (size_t i = 0; options->host_names != NULL && options->host_names[i] != NULL; i++) {
        free((char *)options->host_names[i]);
    }
    free((char **)options->host_names);
}

bool listener_start_tls(struct listener *listener, struct tls_context **out_tls,
                        struct error *error)
{
    const struct http_listener_options *options = &listener->options;
    *out_tls = NULL;
    if (options->certificate_file == NULL) {
        return true;
    }
    if (options->key_file == NULL) {
        return error_set(error, ERROR_INVALID, "key_file", options->certificate_file,
                         "`%s` has no key file beside it; name the certificate's private key",
                         options->certificate_file);
    }
    struct tls_options tls = {
        .certificate_file = options->certificate_file,
        .key_file = options->key_file,
        .client_ca_file = options->client_ca_file,
        .client_certificate_required = options->client_certificate_required,
        .takes_unverified = options->takes_unverified_certificates,
    };
    *out_tls = tls_context_create(&tls, error);
    return *out_tls != NULL;
}

void listener_stop(struct listener *listener)
{
    if (listener->io.fd < 0) {
        return;
    }
    ev_io_stop(listener->server->loop->ev, &listener->io);
    close(listener->io.fd);
    listener->io.fd = -1;
    if (listener->options.socket_path != NULL) {
        (void)unlink(listener->options.socket_path);
    }
}

void listener_destroy(struct listener *listener)
{
    listener_stop(listener);
    tls_context_destroy(listener->tls);
    free_texts(&listener->options);
    free(listener);
}

bool http_listen(struct http_server *server, const struct http_listener_options *options,
                 uint16_t *out_port, struct error *error)
{
    struct listener *listener = memory_zeroed(1, sizeof(*listener));
    listener->server = server;
    listener->options = *options;
    own_texts(&listener->options);
    int fd = -1;
    uint16_t port = 0;
    bool is_open = listener_start_tls(listener, &listener->tls, error) &&
                   (options->socket_path != NULL ? open_unix(options, &fd, error)
                                                 : open_tcp(options, &fd, &port, error));
    LOOP_INIT(&listener->io, on_acceptable, listener);
    ev_io_set(&listener->io, fd, EV_READ);
    if (!is_open) {
        listener_destroy(listener);
        return false;
    }
    ev_io_start(server->loop->ev, &listener->io);
    listener->next = server->listeners;
    server->listeners = listener;
    if (out_port != NULL) {
        *out_port = port;
    }
    return true;
}
