"""The bundled messages and their handlers: examples to copy from, and what `make run` consumes.

`messenger.toml` names this package in `import`; that is all it takes to make the handlers
of its modules known.
"""

from workers.consumers.photos import AddPonkaToImage, DeletePhotoFile, add_ponka, delete_photo_file
from workers.consumers.sms import SmsNotification, send_sms

__all__ = [
    "AddPonkaToImage",
    "DeletePhotoFile",
    "SmsNotification",
    "add_ponka",
    "delete_photo_file",
    "send_sms",
]
