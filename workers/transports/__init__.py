"""Queues: each keeps what was sent to it until a worker says what became of it."""
