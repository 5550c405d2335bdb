"""The SQLite file behind the state: schema, group commit, archive of closed processes."""
