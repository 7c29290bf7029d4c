"""The folder that holds it all: where each thing lies, and how to make what is missing."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from store.files import make_folder


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
    def serving(self) -> Path:
        return self.state / "serving"

    @property
    def secret(self) -> Path:
        return self.state / "secret"

    @property
    def prefect(self) -> Path:
        return self.state / "prefect"

    def prepare(self) -> "Home":
        """
        Make every folder that is missing, readable by nobody else: what lies here is health data.

        The settings file, which may hold passwords, is closed to others if an editor left it open.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.inbox, self.archive, self.quarantine, self.samples, self.reports, self.state):
            make_folder(folder)
        with suppress(OSError):
            if self.settings_file.stat().st_mode & 0o077:
                self.settings_file.chmod(0o600)
        return self


def at(path: str | Path) -> Home:
    """Return the home at `path`, which need not exist yet."""
    return Home(Path(path).expanduser().absolute())
