"""What runs in the process of a function that a caller has sent. It has no key: the executor makes all calls."""
