"""A process supervisor: superd reads program sections, keeps what they name alive, and answers superctl."""

__version__ = "0.1.0"
