"""The other half of the conversation: accept processes, run functions of the user's, answer, close."""
