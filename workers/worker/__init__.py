"""The consuming loop: take, handle, settle, and know when to stop."""
