"""What people see and type in a notebook: magics, panes, transcripts, tables."""
