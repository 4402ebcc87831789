"""Several processes that take requests, and one that writes: ``satsuma serve --workers N``.

The *supervisor* is what the command has started. It listens, and keeps the others running. Each *acceptor* answers
requests on a socket of its own, on the same port. It reads and checks events and hands them to the *writer*, a whole
collector without a port: it has the log, and everything else that there may be only one of. An acceptor answers 200
when the writer has said that the events are safe on disk. Requests for anything but events and the browser's files
are passed on to the writer.
"""

WRITER_SOCKET, HTTP_SOCKET = "events.sock", "http.sock"
"""The writer's sockets in the folder of these processes: for events, and for requests that are passed on."""
