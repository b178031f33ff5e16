"""What several tests of the evaluation share."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.evaluation.misbehaving_server import Server
from tiepoint.evaluation.datasets import transfer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    monkeypatch.setattr(transfer, "TIMEOUT", 5.0)
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.done.set()
        made.shutdown()
        thread.join()
