"""The secret of this installation: what it is used for can be done again, and by nobody else."""

import secrets

from store.files import write_whole
from store.home import Home

LENGTH_BYTES = 32


def secret_of(home: Home) -> bytes:
    """Return the secret in `.state/secret`; the first time it is made."""
    try:
        return home.secret.read_bytes()
    except FileNotFoundError:
        write_whole(home.secret, secrets.token_bytes(LENGTH_BYTES))
        return home.secret.read_bytes()
