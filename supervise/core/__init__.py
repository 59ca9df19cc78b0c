"""The pure heart: states, specifications, diffs and order. No I/O, no clock, no chance."""
