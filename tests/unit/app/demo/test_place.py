"""The demo deletes what it made, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.app.demo.place import MARKER, fresh
from comity.errors import Conflict


def test_a_new_directory_and_a_former_demo(tmp_path: Path) -> None:
    place = fresh(tmp_path / "var" / "demo")
    assert (place.root / MARKER).is_file()
    assert place.root.stat().st_mode & 0o077 == 0
    (place.nodes / "x").mkdir(parents=True)
    again = fresh(tmp_path / "var" / "demo")
    assert again == place
    assert not again.nodes.exists()


def test_an_empty_directory_will_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert fresh(tmp_path / "empty").logs.is_dir()


def test_anything_else_is_refused_and_left(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("x")
    with pytest.raises(Conflict, match="not a former demo"):
        fresh(tmp_path / "mine")
    assert (tmp_path / "mine" / "file").read_text() == "x"
    with pytest.raises(Conflict, match="not a directory"):
        fresh(tmp_path / "mine" / "file")
    demo = fresh(tmp_path / "demo").root
    (tmp_path / "link").symlink_to(demo)
    with pytest.raises(Conflict, match="not a directory"):
        fresh(tmp_path / "link")
    assert (demo / MARKER).exists()
