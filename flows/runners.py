"""Who may read the files of a backfill: by name, and whether it is installed. No Prefect here."""

from importlib.util import find_spec
from typing import Literal, NamedTuple

RunnerName = Literal["local", "processes", "dask", "ray"]


class TaskRunnerClass(NamedTuple):
    """Where one of Prefect's task runners is, and the package that brings it."""

    module: str
    name: str
    package: str


TASK_RUNNERS: dict[str, TaskRunnerClass] = {
    "processes": TaskRunnerClass("prefect.task_runners", "ProcessPoolTaskRunner", "prefect"),
    "dask": TaskRunnerClass("prefect_dask", "DaskTaskRunner", "prefect-dask"),
    "ray": TaskRunnerClass("prefect_ray", "RayTaskRunner", "prefect-ray"),
}
"""`local` is none of Prefect's: files are then read beside the store's work, as ever."""


def missing_runner(name: RunnerName) -> str | None:
    """Return the sentence on why there is no such runner here, None where there is."""
    found = TASK_RUNNERS.get(name)
    if found is None or find_spec(found.module.partition(".")[0]):
        return None
    return (
        f"The runner {name} is not installed; pip install {found.package} into the environment of Kneewatch."
    )
