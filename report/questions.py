"""The questions that come with Kneewatch, as .sql files anybody can ask the published database."""

from importlib.resources import files


def read_query(name: str) -> str:
    """Return the SQL of a named question; its first line is a comment that says what it answers."""
    return files("report").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


def query_names() -> list[str]:
    """Return the names of the questions that come with Kneewatch."""
    folder = files("report").joinpath("queries")
    return sorted(file.name.removesuffix(".sql") for file in folder.iterdir() if file.name.endswith(".sql"))
