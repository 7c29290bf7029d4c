"""What Prefect may hear of an error: its records are no place for health data."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from store.errors import KneewatchError

Given = ParamSpec("Given")
Result = TypeVar("Result")


class StepError(KneewatchError):
    """A step or flow failed; the text names no file, no person and no value, because Prefect keeps it."""


def discreet(step: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let an error of a step or flow tell what kind it is and nothing else: its own text may hold names, notes, positions."""

    @wraps(step)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return step(*args, **kwargs)
        except StepError:
            raise
        except Exception as error:  # noqa: BLE001 - whichever it is, Prefect would write down all of it
            kind = type(error).__name__
            raise StepError(
                f"{step.__name__} failed ({kind}); the same on the command line says why."
            ) from None

    return run
