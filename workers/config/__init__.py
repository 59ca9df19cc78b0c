"""messenger.toml: read, checked, and handed on as plain values."""
