from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from comity.errors import StoreError, Unverified
from comity.node.decided import Decided, entries


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rulings.jsonl"


def write(path: Path, *numbers: int) -> list[str]:
    file = Decided(path)
    hashes = [file.add({"n": number}).result() for number in numbers]
    file.close()
    return hashes


def test_every_entry_is_there_once_in_order_and_chained(path: Path) -> None:
    hashes = write(path, 1, 2, 3) + write(path, 4)
    assert [(entry["n"], head) for entry, head in entries(path)] == list(
        zip((1, 2, 3, 4), hashes, strict=True)
    )
    assert (path.stat().st_mode & 0o777) == 0o600


def test_many_threads_and_two_writers_make_one_chain(path: Path) -> None:
    files = [Decided(path), Decided(path)]
    with ThreadPoolExecutor(8) as pool:
        heads = list(pool.map(lambda n: files[n % 2].add({"n": n}).result(), range(200)))
    for file in files:
        file.close()
    found = list(entries(path))
    assert sorted(entry["n"] for entry, _ in found) == list(range(200))
    assert {head for _, head in found} == set(heads)


@pytest.mark.parametrize("torn", [b'{"n":9', b'{"n":9,"previous":"00"', b"\x00" * 30])
def test_what_a_crash_left_of_a_line_was_never_told_and_goes(path: Path, torn: bytes) -> None:
    write(path, 1, 2)
    with path.open("ab") as file:
        file.write(torn)
    assert [entry["n"] for entry, _ in entries(path)] == [1, 2]
    write(path, 3)
    assert [entry["n"] for entry, _ in entries(path)] == [1, 2, 3]


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_changed_line_is_found_out(path: Path, line: int) -> None:
    write(path, 1, 2, 3, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b'"n":', b'"m":')
    path.write_bytes(b"".join(lines))
    with pytest.raises(Unverified, match=f"line {line + 2}"):
        list(entries(path))


def test_a_line_taken_out_is_found_out(path: Path) -> None:
    write(path, 1, 2, 3)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    with pytest.raises(Unverified):
        list(entries(path))


def test_a_disk_that_does_not_write_tells_nobody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, 1)
    file = Decided(path)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", full)
        with pytest.raises(StoreError, match="could not be written") as caught:
            file.add({"n": 2}).result()
        assert caught.value.why == "No space left on device"
    assert file.add({"n": 3}).result()
    file.close()
    assert [entry["n"] for entry, _ in entries(path)] == [1, 3]
    with pytest.raises(StoreError, match="closed"):
        file.add({"n": 4})


def test_no_file_has_no_entries(path: Path) -> None:
    assert list(entries(path)) == []
