"""Which key signs a log: the first one made for it, named in the log, so that no other machine makes a second.

The name is for operators; whoever verifies brings the public key from elsewhere.
"""

from pathlib import Path

from domain.log.held import origin_of
from domain.log.log import Log
from domain.log.notes import PublicKey
from domain.log.signing import create_key, public_file, publish, read_key

_NAME = "INSERT INTO log_meta (name, value) VALUES ('signer', ?) ON CONFLICT DO NOTHING"
_NAMED = "SELECT value FROM log_meta WHERE name = 'signer'"


def signer(log: Log) -> str | None:
    """The public key that a log names, as a line; None while it has none."""
    with log.session() as session:
        found = session.run(_NAMED)
    return str(found[0][0]) if found else None


def appoint(log: Log, path: Path) -> PublicKey | None:
    """Make the log's signing key at `path`, unless it has one; the key if it is this one now.

    The file comes first: a crash in between leaves a key that the next call publishes and appoints.
    """
    if signer(log) is not None:
        return None
    before = path.exists()
    public = read_key(path).public if before else create_key(path, origin=origin_of(log))
    if not public_file(path).exists():
        publish(public, path)
    with log.session(commit=True) as session:
        session.run(_NAME, [public.line()])
        mine = session.run(_NAMED)[0][0] == public.line()
    if not mine and not before:
        path.unlink()
        public_file(path).unlink()
    return public if mine else None
