"""Many processes of one function: submitted at the server's pace, followed by lists of processes."""
