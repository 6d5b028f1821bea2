"""A wire to a PostgreSQL server that is cut once: before a commit, after it, or while it is still on its way."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from psycopg.conninfo import conninfo_to_dict

Cut = Literal["before", "after", "late"]
"""When the connection is lost; `late`: the commit reaches the server when somebody else asks for the log's lock."""
LOCK = b"pg_advisory_xact_lock"


class Wire:
    """Takes connections at a socket of its own and hands their bytes on; `cut` tells when to lose the next one."""

    def __init__(self, folder: Path, server: str) -> None:
        parts = conninfo_to_dict(server)
        port = str(parts.get("port") or 5432)
        self._server = f"{parts['host']}/.s.PGSQL.{port}"
        self._ear = socket.socket(socket.AF_UNIX)
        self._ear.bind(f"{folder}/.s.PGSQL.{port}")
        self._ear.listen()
        self.url = server.replace(str(parts["host"]), str(folder))
        assert self.url != server
        self.cut: Cut | None = None
        self.lost = 0
        self._late: tuple[socket.socket, bytes] | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._ear.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        threading.Thread(target=self._hand_on, args=(server, client), daemon=True).start()
        self._hand_on(client, server)

    def _hand_on(self, one: socket.socket, other: socket.socket) -> None:
        """Bytes from one end to the other, until an end is closed or the wire is cut."""
        with one, other, suppress(OSError):
            while data := one.recv(65_536):
                if b"COMMIT" in data and self._severed(data):
                    self._sever(one, other, data)
                    return
                if LOCK in data and self._late:
                    server, commit = self._late
                    server.sendall(commit)
                other.sendall(data)

    def _sever(self, one: socket.socket, other: socket.socket, data: bytes) -> None:
        if self.cut == "late":
            self._late = (other.dup(), data)
            one.shutdown(socket.SHUT_RDWR)
        else:
            for end in (one, other):
                end.shutdown(socket.SHUT_RDWR)
        self.cut, self.lost = None, self.lost + 1

    def _severed(self, data: bytes) -> bool:
        """Whether it is cut here: a server's answer begins with C, for a command that is complete."""
        return self.cut == "after" if data.startswith(b"C") else self.cut in ("before", "late")

    def close(self) -> None:
        """Take no more connections."""
        self._ear.close()
        if self._late:
            self._late[0].close()


@contextmanager
def wired(folder: Path, server: str) -> Iterator[Wire]:
    """A wire to a server that listens at a Unix socket."""
    wire = Wire(folder, server)
    yield wire
    wire.close()
