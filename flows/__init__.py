"""The pipeline as plain steps, and the Prefect flows that wrap them."""
