"""What made a number: the versions of the program, of its formulas, of its rules for alerts, and of the database."""

from importlib.metadata import version

from analytics import alerts, run_metrics
from store.database import migrations


def versions() -> str:
    """Return all versions in words, as in "0.1.0 (formulas 6, alert rules 1, schema 0023)"."""
    schema = max(migrations()).partition("_")[0]
    return (
        f"{version('kneewatch')} (formulas {run_metrics.FORMULA_VERSION}, alert rules {alerts.FORMULA_VERSION}, "
        f"schema {schema})"
    )
