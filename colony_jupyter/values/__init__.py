"""Python objects to JSON and back: outputs, arguments, payloads of entries, and tables. See docs/values.md."""
