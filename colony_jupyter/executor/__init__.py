"""The other half of the conversation: take processes, run functions of the user's, answer, close."""
