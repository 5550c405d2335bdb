"""The embedded colony's data in memory and the rules that change it; no I/O and no clock of its own."""
