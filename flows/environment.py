"""What Prefect has to be told before it is imported: where its database lies, and to keep to itself."""

import os
import secrets
from pathlib import Path

from store.files import write_whole
from store.home import Home

SELDOM_S = "60"
SELDOM = {
    # One runner, no work pools: every few seconds, as Prefect looks by itself, is half of what its idle server costs.
    "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": f"PT{SELDOM_S}S",
    **{
        f"PREFECT_SERVER_SERVICES_{service}_LOOP_SECONDS": SELDOM_S
        for service in (
            "CANCELLATION_CLEANUP",
            "CLEANUP_RECONCILER",
            "FOREMAN",
            "LATE_RUNS",
            "PAUSE_EXPIRATIONS",
            "REPOSSESSOR",
        )
    },
    "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "20",
}
"""How often the services of Prefect's server look whether there is something to do, in seconds."""

SETTINGS = {
    **SELDOM,
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",  # the new one calls an outside host even with analytics off
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # 20 s are too few on a busy machine
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS": "4",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": '["events","flow_runs"]',  # what is older than 90 days
    "PREFECT_LOGGING_LEVEL": "WARNING",
}


def use_prefect_of(home: Home) -> None:
    """
    Keep Prefect's database in the home and its telemetry off; to be called before Prefect is imported.

    What the environment says already stays, PREFECT_API_URL of a server elsewhere in particular. A server of our own
    answers nobody without the password of this home.
    """
    home.prefect.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ["PREFECT_HOME"] = str(home.prefect)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" not in os.environ:
        for name in ("PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"):
            os.environ.setdefault(name, _password_of(home))


def password_file(home: Home) -> Path:
    """Return where the password of this home's Prefect server lies."""
    return home.prefect / "password"


def _password_of(home: Home) -> str:
    file = password_file(home)
    if not file.exists():
        write_whole(file, f"kneewatch:{secrets.token_urlsafe(18)}".encode())
    return file.read_text()
