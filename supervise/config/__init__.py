"""Files to frozen specifications; the only place in supervise that knows pydantic."""
