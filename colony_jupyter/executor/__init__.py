"""Executors: they accept processes, run functions of the user's for them, and close them."""
