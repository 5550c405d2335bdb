"""The operating-system process that serves the embedded colony."""
