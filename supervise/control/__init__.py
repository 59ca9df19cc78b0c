"""What a client may ask, translated to the service layer."""
