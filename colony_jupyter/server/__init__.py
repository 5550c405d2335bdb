"""The embedded colony: a ColonyOS server of our own, for a notebook that has none (docs/protocol.md)."""
