"""The folder that holds it all: where each thing lies, and how to make what is missing."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """
    The paths below one home folder; nothing outside this class spells them.

    Attributes:
        root: Absolute path of the home.
    """

    root: Path

    @property
    def settings_file(self) -> Path:
        return self.root / "kneewatch.toml"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def samples(self) -> Path:
        return self.root / "samples"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def published(self) -> Path:
        return self.root / "kneewatch.duckdb"

    @property
    def state(self) -> Path:
        return self.root / ".state"

    @property
    def store(self) -> Path:
        return self.state / "store.duckdb"

    @property
    def lock(self) -> Path:
        return self.state / "lock"

    @property
    def prefect(self) -> Path:
        return self.state / "prefect"

    def prepare(self) -> "Home":
        """Make every folder that is missing, readable by nobody else: what lies here is health data."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.inbox, self.archive, self.quarantine, self.samples, self.reports, self.state):
            folder.mkdir(exist_ok=True, mode=0o700)
        return self


def at(path: str | Path) -> Home:
    """Return the home at `path`, which need not exist yet."""
    return Home(Path(path).expanduser().absolute())
