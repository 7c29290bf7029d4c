"""What Prefect has to be told before it is imported: where its database lies, and to keep to itself."""

import os

from store.home import Home

SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",  # the new one calls an outside host even with analytics off
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # 20 s are too few on a busy machine
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS": "4",
    "PREFECT_RUNNER_POLL_FREQUENCY": "2",
    "PREFECT_LOGGING_LEVEL": "WARNING",
}


def use_prefect_of(home: Home) -> None:
    """
    Keep Prefect's database in the home and its telemetry off; to be called before Prefect is imported.

    What the environment says already stays, PREFECT_API_URL of a server elsewhere in particular.
    """
    home.prefect.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ["PREFECT_HOME"] = str(home.prefect)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
