"""The HTTP server under every double here: a thread for each connection, and no word about those that break."""
import http.server


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass  # broken connections are the point
