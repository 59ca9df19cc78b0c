"""One file a command, or one thought."""
