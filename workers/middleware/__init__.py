"""The steps of a dispatch, each in its own file, each unaware of the others."""
