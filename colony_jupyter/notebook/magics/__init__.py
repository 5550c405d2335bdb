"""The magics: parsing of lines, completion, help."""
