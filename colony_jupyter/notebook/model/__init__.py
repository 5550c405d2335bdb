"""What a view shows, as plain data."""
