from __future__ import annotations

import pytest
from workers.worker.name import worker_name

PLACE = {"SUPERVISOR_GROUP_NAME": "messenger", "SUPERVISOR_PROCESS_NAME": "messenger_01"}


@pytest.mark.parametrize(
    ("said", "environ", "name"),
    [
        (None, {}, "web1-77"),
        ("mine", {}, "mine"),
        ("mine", PLACE, "mine"),
        (None, PLACE, "web1/messenger:messenger_01"),
        (None, {"SUPERVISOR_PROCESS_NAME": "worker"}, "web1/worker"),
        (None, {"SUPERVISOR_GROUP_NAME": "messenger"}, "web1-77"),
    ],
)
def test_a_worker_is_called_by_its_place(
    said: str | None, environ: dict[str, str], name: str
) -> None:
    assert worker_name(said, environ, "web1", 77) == name
