"""The bundled handlers, called as a worker calls them, on a real database and real pictures."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from workers import load
from workers.consumers import store
from workers.consumers.photos import AddPonkaToImage, DeletePhotoFile, add_ponka, delete_photo_file
from workers.consumers.sms import SmsNotification, send_sms
from workers.errors import UnrecoverableError

BLUE = (10, 20, 200)
ETC = Path(__file__).resolve().parents[3] / "etc"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The application's files, in a directory of this test."""
    monkeypatch.setenv("APP_VAR", str(tmp_path / "app"))
    (tmp_path / "app" / "photos").mkdir(parents=True)
    return tmp_path / "app"


def photo(
    name: str = "1.png", size: tuple[int, int] = (300, 200), mode: str = "RGB"
) -> store.Photo:
    Image.new(mode, size, BLUE if mode == "RGB" else 0).save(store.photo_path(name))
    return store.add_photo(name)


def test_a_text_message_is_a_line_in_the_outbox(files: Path) -> None:
    send_sms(SmsNotification("hello"))
    send_sms(SmsNotification("two\nlines"))

    assert (files / "outbox" / "sms.txt").read_text() == "hello\ntwo lines\n"


def test_ponka_is_pasted_into_the_lower_right_corner_and_noted(files: Path) -> None:
    one = photo()
    before = datetime.now(UTC).replace(microsecond=0)

    add_ponka(AddPonkaToImage(one.id))

    with Image.open(one.path) as picture:
        assert (picture.format, picture.size) == ("PNG", (300, 200))
        blank = Image.new("RGB", (300, 200), BLUE)
        box = ImageChops.difference(picture.convert("RGB"), blank).getbbox()
    assert box is not None
    assert box[0] > 300 // 2
    assert box[1] > 200 // 2
    found = store.find_photo(one.id)
    assert found is not None
    assert found.ponka_added_at is not None
    assert before <= datetime.fromisoformat(found.ponka_added_at) <= datetime.now(UTC)
    assert [path.name for path in (files / "photos").iterdir()] == ["1.png"]  # no temporary file


@pytest.mark.parametrize(("size", "mode"), [((1, 1), "RGB"), ((16, 400), "L"), ((64, 64), "RGBA")])
def test_ponka_fits_into_any_picture(size: tuple[int, int], mode: str) -> None:
    one = photo(size=size, mode=mode)

    add_ponka(AddPonkaToImage(one.id))

    with Image.open(one.path) as picture:
        assert (picture.format, picture.size) == ("PNG", size)
    assert (found := store.find_photo(one.id)) is not None
    assert found.ponka_added_at is not None


def test_a_second_delivery_changes_nothing() -> None:
    one = photo()
    add_ponka(AddPonkaToImage(one.id))
    noted, bytes_once = store.find_photo(one.id), one.path.read_bytes()

    add_ponka(AddPonkaToImage(one.id))

    assert one.path.read_bytes() == bytes_once
    assert store.find_photo(one.id) == noted


def test_the_row_is_loaded_when_the_message_is_handled_not_when_it_is_sent() -> None:
    one = photo("old.png")
    Image.new("RGB", (50, 50), BLUE).save(store.photo_path("new.png"))
    with store.database() as connection:
        connection.execute("UPDATE photo SET filename = 'new.png' WHERE id = ?", (one.id,))
    old = one.path.read_bytes()

    add_ponka(AddPonkaToImage(one.id))

    assert one.path.read_bytes() == old
    with Image.open(store.photo_path("new.png")) as picture:
        assert picture.getcolors(1) is None  # more than one colour: she is in it


def test_a_row_that_is_gone_is_not_tried_again() -> None:
    with pytest.raises(UnrecoverableError, match="there is no photo with id 7"):
        add_ponka(AddPonkaToImage(7))


def test_a_file_that_is_gone_may_come_back_so_it_is_tried_again() -> None:
    one = photo()
    one.path.unlink()

    with pytest.raises(FileNotFoundError):
        add_ponka(AddPonkaToImage(one.id))

    found = store.find_photo(one.id)
    assert found is not None
    assert found.ponka_added_at is None


def test_a_file_that_is_no_picture_stays_as_it_is(files: Path) -> None:
    one = photo()
    one.path.write_bytes(b"no picture at all")

    with pytest.raises(OSError, match="cannot identify"):
        add_ponka(AddPonkaToImage(one.id))

    assert one.path.read_bytes() == b"no picture at all"
    assert len(list((files / "photos").iterdir())) == 1


def test_the_file_of_a_deleted_photo_is_removed_once_or_again() -> None:
    one = photo()

    delete_photo_file(DeletePhotoFile("1.png"))
    delete_photo_file(DeletePhotoFile("1.png"))

    assert not one.path.exists()


@pytest.mark.parametrize("name", ["../app.db", "/etc/hosts", "a/b.png", "..", ".", ""])
def test_a_name_that_leads_out_of_the_folder_is_refused(files: Path, name: str) -> None:
    (files / "app.db").write_bytes(b"precious")

    with pytest.raises(ValueError, match="is not the bare name of a photo"):
        delete_photo_file(DeletePhotoFile(name))

    assert (files / "app.db").read_bytes() == b"precious"
    assert (files / "photos").is_dir()


def test_each_message_goes_where_the_bundled_configuration_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    toml = tmp_path / "etc" / "messenger.toml"
    toml.write_text((ETC / "messenger.toml").read_text())
    monkeypatch.delenv("MESSENGER_CONFIG", raising=False)

    with load(str(toml)) as app:
        app.bus.dispatch(SmsNotification("hello"))
        app.bus.dispatch(AddPonkaToImage(1))
        app.bus.dispatch(DeletePhotoFile("1.png"))

        waiting = {name: app.transports[name].stats().ready for name in app.transports}

    assert waiting == {"async_priority_high": 1, "async": 2, "failed": 0}
