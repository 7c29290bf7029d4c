"""What lies in the home folder: paths, settings, the DuckDB file, samples, archive and the published copy."""
