"""A process supervisor: superd keeps what its program sections name alive; superctl asks it."""

__version__ = "0.1.0"
