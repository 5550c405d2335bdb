"""Who an executor is, and how it becomes a member of its colony."""
