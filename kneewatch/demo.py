"""The demo's home: sample_data dropped into a fresh folder."""

import shutil
from datetime import date
from importlib.resources import as_file, files
from pathlib import Path

from store.errors import WrongUseError
from store.home import Home

MARK = "demo"


def make_demo_home(folder: Home) -> date:
    """
    Make the home anew from `sample_data` and return the made-up runner's last day.

    Raises:
        WrongUseError: If there is something at that place that is not a demo's home.
    """
    from sample_data.story import LAST_DAY

    if folder.root.exists() and any(folder.root.iterdir()):
        if not (folder.state / MARK).exists():
            raise WrongUseError(f"{folder.root} is there already and is no demo; name another folder.")
        shutil.rmtree(folder.root)
    folder.prepare()
    (folder.state / MARK).touch()
    with as_file(files("sample_data")) as samples:
        _copy(Path(samples), folder)
    return LAST_DAY


def _copy(samples: Path, folder: Home) -> None:
    shutil.copy(samples / "kneewatch.toml", folder.settings_file)
    for part in ("inbox", "broken"):
        shutil.copytree(samples / part, folder.inbox, dirs_exist_ok=True)
