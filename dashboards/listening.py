"""Where the dashboards can be reached: one listening socket of this machine, and of no other."""

import ipaddress
import socket


class ListeningError(Exception):
    """An address that cannot be served; the message is one sentence for people."""


def listen(host: str, port: int, *, tries: int = 1) -> socket.socket:
    """A bound socket on loopback; with `tries`, the next free port when one is taken."""
    if not _loopback(host):
        raise ListeningError(
            f"Without sign-in only this machine is served: the host {host} is refused, use 127.0.0.1."
        )
    for candidate in range(port, min(port + tries, 65536)):
        try:
            return socket.create_server((host, candidate), family=_family(host), backlog=128)
        except OSError as error:
            taken = error
    raise ListeningError(
        f"Port {port} of {host} cannot be used ({taken.strerror}); name another one with --port."
    )


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
