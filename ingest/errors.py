"""What ingest says when it does not take a file in; each text is a sentence for the runner."""

from store.errors import KneewatchError


class IngestError(KneewatchError):
    """Raised by a reader for a file that claims to be an export and cannot be read: it is quarantined."""


class NotAnActivityError(IngestError):
    """Raised by a reader for a sound file that holds no recorded activity: it is archived and ignored."""
