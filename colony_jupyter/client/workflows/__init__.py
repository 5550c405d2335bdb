"""Workflows: building them, what is refused before sending, and their runs."""
