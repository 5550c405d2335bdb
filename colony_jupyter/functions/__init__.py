"""Python functions as text: what a function needs, how it is sent, and how it is compiled again."""
