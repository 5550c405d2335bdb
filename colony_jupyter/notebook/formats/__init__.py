"""Values, entries and errors as HTML and plain text."""
