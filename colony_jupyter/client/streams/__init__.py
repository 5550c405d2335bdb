"""Reading the channels of processes: subscriptions, streams, questions and the acknowledged ending."""
