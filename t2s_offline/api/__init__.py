"""The Python API, and what the commands call."""
