"""superctl: a small, fast client that speaks native frames."""
