"""A made-up runner's sixteen weeks, and the script that makes them."""
