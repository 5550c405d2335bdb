"""The protocol of a relayed kernel: state machines over bytes and times, without sockets, clocks and randomness."""
