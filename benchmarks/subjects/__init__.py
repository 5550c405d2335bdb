"""What is measured, a module for each benchmark: its coroutine ``measure(effort)`` returns the tables."""
