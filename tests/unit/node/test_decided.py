from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity.errors import StoreError, Unverified
from comity.node import decided
from comity.node.decided import Decided, entries, since


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rulings.jsonl"


def write(path: Path, *numbers: int | str) -> list[str]:
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


def test_who_goes_away_or_hands_over_what_cannot_be_written_stops_nobody_else(path: Path) -> None:
    file = Decided(path)
    assert not file.add({"n": 1}).cancel()
    with pytest.raises(StoreError, match="could not be written"):
        file.add({"n": "\ud800"}).result(timeout=10)
    assert file.add({"n": 2}).result(timeout=10)
    file.close()
    assert [entry["n"] for entry, _ in entries(path)] == [1, 2]


def test_a_line_longer_than_what_is_read_at_once_is_chained_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decided, "_TAIL", 100)
    hashes = [write(path, "x" * size)[0] for size in (1, 90, 1000, 50)]
    with path.open("ab") as torn:
        torn.write(b"y" * 350)
    hashes += write(path, 5)
    assert [head for _, head in entries(path)] == hashes


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_moved_away_tells_nobody(path: Path, replaced: bool) -> None:
    file = Decided(path)
    file.add({"n": 1}).result()
    path.rename(path.with_suffix(".old"))
    if replaced:
        path.touch()
    with pytest.raises(StoreError) as caught:
        file.add({"n": 2}).result()
    assert "moved away" in caught.value.why
    path.with_suffix(".old").rename(path)
    file.add({"n": 3}).result()
    file.close()
    assert [entry["n"] for entry, _ in entries(path)] == [1, 3]


@pytest.mark.parametrize("chunk", [7, 64, 1 << 20])
def test_the_latest_entries_are_read_from_the_end(
    path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decided, "_TAIL", chunk)
    begin = datetime(2026, 6, 1, tzinfo=UTC)
    file = Decided(path)
    for hour in range(10):
        file.add({"n": hour, "at": (begin + timedelta(hours=hour)).isoformat()}).result()
    file.close()
    with path.open("ab") as torn:
        torn.write(b'{"n":10,"at":')
    assert [one["n"] for one in since(path, begin + timedelta(hours=6))] == [9, 8, 7, 6]
    assert [one["n"] for one in since(path, begin)] == list(range(9, -1, -1))
    assert since(path, begin + timedelta(days=1)) == []
    lines = path.read_bytes().splitlines(keepends=True)
    lines[7] = lines[7].replace(b'"n":7', b'"n":9')
    path.write_bytes(b"".join(lines))
    assert len(since(path, begin + timedelta(hours=9))) == 1, "what is older is not read"
    with pytest.raises(Unverified, match="line 3 from its end"):
        since(path, begin + timedelta(hours=6))


def test_no_file_or_an_empty_one_has_no_latest_entries(path: Path) -> None:
    assert since(path, datetime(2026, 6, 1, tzinfo=UTC)) == []
    path.touch()
    assert since(path, datetime(2026, 6, 1, tzinfo=UTC)) == []
