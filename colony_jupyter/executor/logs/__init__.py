"""What a function writes to the log of its process: lines of its own, and what it prints and logs."""
