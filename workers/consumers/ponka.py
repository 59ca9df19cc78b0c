"""Ponka herself, drawn: a picture needs no file of its own here."""

from __future__ import annotations

from PIL import Image, ImageDraw

FUR = (92, 80, 74, 255)
EAR = (222, 160, 160, 255)
EYE = (140, 200, 90, 255)
DARK = (20, 20, 20, 255)


def draw(size: int) -> Image.Image:
    """Give the face of a cat, ``size`` pixels square, on nothing."""
    cat = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    pen = ImageDraw.Draw(cat)

    def at(*parts: float) -> list[float]:
        return [part * size for part in parts]

    pen.polygon(at(0.10, 0.45, 0.18, 0.02, 0.48, 0.28), fill=FUR)
    pen.polygon(at(0.90, 0.45, 0.82, 0.02, 0.52, 0.28), fill=FUR)
    pen.polygon(at(0.18, 0.33, 0.22, 0.12, 0.36, 0.25), fill=EAR)
    pen.polygon(at(0.82, 0.33, 0.78, 0.12, 0.64, 0.25), fill=EAR)
    pen.ellipse(at(0.06, 0.20, 0.94, 0.98), fill=FUR)
    for left in (0.24, 0.58):
        pen.ellipse(at(left, 0.42, left + 0.18, 0.60), fill=EYE)
        pen.ellipse(at(left + 0.06, 0.43, left + 0.12, 0.59), fill=DARK)
    pen.polygon(at(0.45, 0.66, 0.55, 0.66, 0.50, 0.72), fill=EAR)
    pen.arc(at(0.38, 0.66, 0.50, 0.82), 20, 160, fill=DARK, width=max(1, size // 40))
    pen.arc(at(0.50, 0.66, 0.62, 0.82), 20, 160, fill=DARK, width=max(1, size // 40))
    return cat
