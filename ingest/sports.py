"""What platforms and watches call a sport in GPX and TCX, and what we call it."""

SPORTS: dict[str, tuple[str | None, str | None]] = {
    # Strava writes its own numbers into GPX.
    "9": ("running", None),
    "1": ("cycling", None),
    "10": ("walking", None),
    "4": ("hiking", None),
    "16": ("swimming", None),
    "52": ("running", "virtual_activity"),
    "run": ("running", None),
    "jogging": ("running", None),
    "outdoor_run": ("running", None),
    "street_running": ("running", "street"),
    "trailrun": ("running", "trail"),
    "trail_run": ("running", "trail"),
    "indoor_run": ("running", "treadmill"),
    "indoor_running": ("running", "indoor_running"),
    "treadmill": ("running", "treadmill"),
    "track_run": ("running", "track"),
    "virtualrun": ("running", "virtual_activity"),
    "virtual_run": ("running", "virtual_activity"),
    "ride": ("cycling", None),
    "biking": ("cycling", None),
    "bike": ("cycling", None),
    "bicycle": ("cycling", None),
    "virtualride": ("cycling", "virtual_activity"),
    "indoor_bike": ("cycling", "indoor_cycling"),
    "walk": ("walking", None),
    "outdoor_walk": ("walking", None),
    "hike": ("hiking", None),
    "swim": ("swimming", None),
    "pool_swim": ("swimming", "lap_swimming"),
    "unknown": (None, None),
    "": (None, None),
}


def sport_named(name: str | None) -> tuple[str | None, str | None]:
    """Return sport and sub-sport; words that nobody knows are kept."""
    word = "_".join((name or "").lower().replace("-", " ").replace("_", " ").split())
    if word in SPORTS:
        return SPORTS[word]
    if word.endswith("_running") or word.startswith("running_"):
        return "running", word.removesuffix("_running").removeprefix("running_")
    return word[:100], None
