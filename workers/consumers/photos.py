"""Photos: Ponka the cat is pasted into them, and files of deleted ones are removed.

A message carries the id of a row, not the row: the handler loads it again, because by the
time it runs the world may have moved on. Each handler may run twice for one message (at
least once is the promise), so each looks whether its work is done already.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workers import handles
from workers.consumers import store
from workers.errors import UnrecoverableError


@dataclass
class AddPonkaToImage:
    image_id: int


@dataclass
class DeletePhotoFile:
    filename: str


@handles
def add_ponka(message: AddPonkaToImage) -> None:
    """Paste Ponka into the photo and note when."""
    photo = store.find_photo(message.image_id)
    if photo is None:
        # Trying again would not bring the row back: set it aside at once.
        raise UnrecoverableError(f"there is no photo with id {message.image_id}")
    if photo.ponka_added_at is not None:
        return
    _paste_into(photo.path)
    store.mark_ponka_added(photo.id)


@handles
def delete_photo_file(message: DeletePhotoFile) -> None:
    """Remove the file of a photo whose row is gone."""
    store.photo_path(message.filename).unlink(missing_ok=True)


def _paste_into(path: Path) -> None:
    """Write the changed picture beside the old one, then put it in its place in one step."""
    from PIL import Image  # noqa: PLC0415 - only these handlers need the extra `demo`

    from workers.consumers.ponka import draw  # noqa: PLC0415 - it needs Pillow, too

    with Image.open(path) as photo:
        canvas = photo.convert("RGBA")
    ponka = draw(max(32, min(canvas.size) // 3))
    corner = (canvas.width - ponka.width - 8, canvas.height - ponka.height - 8)
    canvas.alpha_composite(ponka, (max(0, corner[0]), max(0, corner[1])))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    canvas.convert("RGB").save(temporary, "PNG")
    temporary.replace(path)
