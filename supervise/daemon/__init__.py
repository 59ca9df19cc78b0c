"""The shell around the core: carries events in and effects out."""
