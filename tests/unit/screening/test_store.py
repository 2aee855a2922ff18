from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from comity import intake
from comity.errors import BadInput, Conflict, NotFound, PeerError, StoreError, TooLarge, UnknownFormat
from comity.lists import Edition, extract, ofac_sdn, tagpack, un_sc
from comity.model import Listing, ListingKind, Party
from comity.screening import fetch, store
from comity.screening.extract import write_extract
from comity.screening.store import ListStore, LoadSummary


@pytest.fixture
def lists(tmp_path: Path) -> ListStore:
    return ListStore(tmp_path / "lists")


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "given"
        path.write_bytes(data)
        return path

    return write


def dated(day: str) -> bytes:
    """The UN sample as of another day."""
    return un_sc.SAMPLE.replace(b"2026-02-03T", day.encode() + b"T")


def test_load(lists: ListStore, file: Callable[[bytes], Path], now: datetime) -> None:
    summary = lists.load(file(ofac_sdn.SAMPLE), now=now)
    digest = hashlib.sha256(ofac_sdn.SAMPLE).hexdigest()
    assert summary == LoadSummary("ofac_sdn", "2026-02-03", 3, 2, digest, "")
    (header,) = lists.editions()
    assert header.sha256 == digest
    assert header.loaded == "2026-11-23T12:00:00Z"
    assert header.terms == "US public domain"
    assert [entry.entry_id for entry in lists.listings()] == ["1", "2", "3"]


def test_compressed_files_and_extracts_load_too(
    lists: ListStore, file: Callable[[bytes], Path], now: datetime
) -> None:
    assert lists.load(file(gzip.compress(tagpack.SAMPLE)), now=now).list == "tagpack.comity-sample-pack"
    assert lists.load(file(extract.SAMPLE), now=now).list == "sample"
    assert [header.list_id for header in lists.editions()] == ["sample", "tagpack.comity-sample-pack"]
    assert lists.editions()[0].origin == "Comity: fictional entries, for tests"


def test_a_newer_edition_replaces_and_an_older_is_refused(
    lists: ListStore, file: Callable[[bytes], Path], now: datetime
) -> None:
    lists.load(file(dated("2026-02-03")), now=now)
    newer = lists.load(file(dated("2026-03-04")), now=now)
    assert newer.replaced == "2026-02-03T00:00:03Z"
    assert lists.load(file(dated("2026-03-04")), now=now).replaced == newer.version
    with pytest.raises(Conflict, match="older"):
        lists.load(file(dated("2026-02-03")), now=now)
    assert [header.version for header in lists.editions()] == ["2026-03-04T00:00:03Z"]


def test_another_name(lists: ListStore, file: Callable[[bytes], Path], now: datetime) -> None:
    lists.load(file(dated("2026-03-04")), now=now)
    assert lists.load(file(dated("2026-02-03")), now=now, list_id="un_old").list == "un_old"
    assert {entry.list_id for entry in lists.listings(["un_old"])} == {"un_old"}
    for bad in ("../up", "A", "a/b", "", ".hidden", "x" * 101):
        if bad:
            with pytest.raises(BadInput, match="list id"):
                lists.load(file(dated("2026-03-04")), now=now, list_id=bad)


def test_a_version_in_the_future_is_refused(
    lists: ListStore, file: Callable[[bytes], Path], now: datetime
) -> None:
    with pytest.raises(BadInput, match="future"):
        lists.load(file(dated("2027-01-01")), now=now)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: gzip.compress(data)[:-20],
        lambda data: data.replace(b"9000002", b"9000001"),
        lambda data: data + b"<x/>",
        lambda data: data.replace(b"<DATAID>9000002</DATAID>", b""),
    ],
)
def test_a_damaged_file_leaves_the_edition_in_force(
    lists: ListStore,
    file: Callable[[bytes], Path],
    tmp_path: Path,
    now: datetime,
    damage: Callable[[bytes], bytes],
) -> None:
    lists.load(file(dated("2026-02-03")), now=now)
    before = (tmp_path / "lists/un_sc.jsonl.gz").read_bytes()
    with pytest.raises(BadInput):
        lists.load(file(damage(dated("2026-03-04"))), now=now)
    assert (tmp_path / "lists/un_sc.jsonl.gz").read_bytes() == before
    assert [path.name for path in (tmp_path / "lists").iterdir()] == ["un_sc.jsonl.gz"]


def test_a_crash_before_the_rename_leaves_the_edition_in_force(
    lists: ListStore,
    file: Callable[[bytes], Path],
    tmp_path: Path,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lists.load(file(dated("2026-02-03")), now=now)

    def crash(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(StoreError, match=r"un_sc\.jsonl\.gz"):
        lists.load(file(dated("2026-03-04")), now=now)
    assert [header.version for header in lists.editions()] == ["2026-02-03T00:00:03Z"]
    assert [path.name for path in (tmp_path / "lists").iterdir()] == ["un_sc.jsonl.gz"]


def test_a_bomb_is_refused(lists: ListStore, file: Callable[[bytes], Path], now: datetime) -> None:
    """100 MB of blanks in 100 kB: over the ratio any real file has, and cut off long before its end."""
    bomb = gzip.compress(un_sc.SAMPLE.replace(b"</INDIVIDUALS>", b"</INDIVIDUALS>" + b" " * 100_000_000), 1)
    with pytest.raises(BadInput):
        lists.load(file(bomb), now=now)
    assert lists.editions() == ()


def test_an_empty_list_is_refused(lists: ListStore, file: Callable[[bytes], Path], now: datetime) -> None:
    with pytest.raises(BadInput, match="0 entries"):
        lists.load(file(b'<CONSOLIDATED_LIST dateGenerated="2026-02-03T00:00:00Z"/>'), now=now)
    assert lists.editions() == ()


def test_what_is_no_list_is_refused(
    lists: ListStore, file: Callable[[bytes], Path], tmp_path: Path, now: datetime
) -> None:
    with pytest.raises(UnknownFormat):
        lists.load(file(b"hello"), now=now)
    with pytest.raises(BadInput):
        lists.load(tmp_path / "missing", now=now)


def test_damage_on_disk_is_said_and_repaired_by_the_next_file(
    lists: ListStore, file: Callable[[bytes], Path], tmp_path: Path, now: datetime
) -> None:
    lists.load(file(dated("2026-02-03")), now=now)
    path = tmp_path / "lists/un_sc.jsonl.gz"
    whole = path.read_bytes()
    path.write_bytes(b"nonsense")
    with pytest.raises(StoreError, match="damaged"):
        lists.editions()
    with pytest.raises(StoreError, match="damaged"):
        list(lists.listings(["un_sc"]))
    assert lists.load(file(dated("2026-02-03")), now=now).entries == 2
    assert path.read_bytes() == whole


def test_a_list_that_is_not_there(lists: ListStore) -> None:
    assert lists.editions() == ()
    assert list(lists.listings()) == []
    with pytest.raises(NotFound):
        list(lists.listings(["un_sc"]))


def test_the_shipped_list(lists: ListStore, tmp_path: Path, now: datetime) -> None:
    (summary,) = lists.bundled(now)
    assert (summary.list, summary.version, summary.entries, summary.wallets) == (
        "ofac_sdn",
        "2024-05-07",
        14_966,
        587,
    )
    assert lists.bundled(now) == []
    (shipped,) = store.shipped()
    again = ListStore(tmp_path / "again")
    assert again.load(shipped, now=now) == summary
    (one,), (other,) = tmp_path.glob("again/*.gz"), lists._directory.glob("*.gz")
    assert gzip.decompress(one.read_bytes()) == gzip.decompress(other.read_bytes()), "kept or written anew"
    assert all(path.stat().st_size < 1_500_000 for path in store.shipped())
    small = tmp_path / "sample.xml"
    small.write_bytes(ofac_sdn.SAMPLE)
    with pytest.raises(BadInput, match="3 entries where a whole list"):
        lists.load(small, now=now)


@pytest.mark.data
def test_the_shipped_list_is_what_our_reader_writes(data: Path, tmp_path: Path) -> None:
    """Anyone can make the extract again from OFAC's file, and compare."""
    (shipped,) = store.shipped()
    with intake.open_source(shipped) as stream:
        origin = extract.read_header(stream).origin
    with intake.open_source(data / "sanctions/ofac_sdn_2024-05-07.xml.gz") as stream:
        write_extract(ofac_sdn.read(stream), tmp_path / "again.jsonl", origin=origin)
    with intake.open_source(shipped) as stream:
        assert stream.read() == (tmp_path / "again.jsonl").read_bytes()


@pytest.mark.parametrize("suffix", [".xz", ".gz", ".jsonl"])
def test_an_extract_reads_back_whatever_its_packing(tmp_path: Path, suffix: str) -> None:
    entries = [Listing("un_sc", str(n), ListingKind.SANCTION, Party(f"Name {n}")) for n in range(50)]
    path = tmp_path / f"list{suffix}"
    header = write_extract(Edition("un_sc", "2026-02-03", iter(entries)), path)
    assert header.entries == 50
    write_extract(Edition("un_sc", "2026-02-03", iter(entries)), tmp_path / f"again{suffix}")
    assert path.read_bytes() == (tmp_path / f"again{suffix}").read_bytes()
    assert "Security Council" in header.origin
    with intake.open_source(path) as stream:
        assert list(extract.read(stream).listings) == entries


# --- fetching ---------------------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    answers: dict[str, tuple[int, dict[str, str], bytes]]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        status, headers, body = self.server.answers.get(self.path, (404, {}, b"no"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    running = _Server(("127.0.0.1", 0), _Handler)
    running.answers = {}
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=5, trust_env=False) as opened:
        yield opened


def whole_un() -> bytes:
    """A list of as many fictional entries as a whole one has."""
    entry = b"<INDIVIDUAL><DATAID>%d</DATAID><FIRST_NAME>Name %d</FIRST_NAME></INDIVIDUAL>"
    body = b"".join(entry % (n, n) for n in range(un_sc.SPEC.at_least))
    return b'<CONSOLIDATED_LIST dateGenerated="2026-10-01T00:00:00Z">' + body + b"</CONSOLIDATED_LIST>"


def url(server: _Server, path: str = "/list") -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def test_update(
    lists: ListStore, server: _Server, client: httpx.Client, now: datetime, tmp_path: Path
) -> None:
    server.answers = {
        "/list": (302, {"Location": "/moved"}, b""),
        "/moved": (200, {"Content-Type": "text/xml"}, whole_un()),
    }
    (summary,) = lists.update(client, ["un_sc"], now, {"un_sc": url(server)})
    assert (summary.list, summary.entries) == ("un_sc", un_sc.SPEC.at_least)
    assert summary.sha256 == hashlib.sha256(whole_un()).hexdigest()
    assert [path.name for path in (tmp_path / "lists").iterdir()] == ["un_sc.jsonl.gz"]


@pytest.mark.parametrize(
    ("answer", "error", "what"),
    [
        ((200, {}, un_sc.SAMPLE), BadInput, "2 entries where a whole list"),
        ((200, {}, ofac_sdn.SAMPLE), UnknownFormat, "not a file"),
        ((200, {}, b""), PeerError, "did not deliver"),
        ((200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>"), PeerError, "did not deliver"),
        ((500, {}, b""), PeerError, "did not deliver"),
        ((403, {}, b""), PeerError, "did not deliver"),
        ((302, {"Location": "/list"}, b""), PeerError, "did not deliver"),
        ((302, {"Location": "http://example.invalid/x"}, b""), PeerError, "did not deliver"),
        ((302, {"Location": "ftp://127.0.0.1/x"}, b""), BadInput, "not fetched from ftp"),
        ((200, {"Content-Length": "99999"}, whole_un()[:5000]), PeerError, "did not deliver"),
    ],
)
def test_an_update_that_is_refused(
    lists: ListStore,
    server: _Server,
    client: httpx.Client,
    now: datetime,
    tmp_path: Path,
    answer: tuple[int, dict[str, str], bytes],
    error: type[Exception],
    what: str,
) -> None:
    server.answers = {"/list": answer}
    with pytest.raises(error, match=what):
        lists.update(client, ["un_sc"], now, {"un_sc": url(server)})
    assert list((tmp_path / "lists").iterdir()) == []


def test_a_file_without_end_is_cut_off(
    lists: ListStore,
    server: _Server,
    client: httpx.Client,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetch, "MAX_BYTES", 1000)
    server.answers = {"/list": (200, {}, whole_un())}
    with pytest.raises(TooLarge, match="1,000 bytes"):
        lists.update(client, ["un_sc"], now, {"un_sc": url(server)})


def test_nobody_answers(lists: ListStore, client: httpx.Client, now: datetime, server: _Server) -> None:
    gone = url(server).replace(str(server.server_port), "1")
    with pytest.raises(PeerError):
        lists.update(client, ["un_sc"], now, {"un_sc": gone})


@pytest.mark.parametrize(
    "address",
    ["http://example.invalid/x", "file:///etc/passwd", "ftp://x/y", "http://10.0.0.1/x", "x", "http://[::"],
)
def test_only_https_is_fetched(lists: ListStore, client: httpx.Client, now: datetime, address: str) -> None:
    with pytest.raises(BadInput):
        lists.update(client, ["un_sc"], now, {"un_sc": address})


@pytest.mark.parametrize("list_id", ["tagpack", "nothing"])
def test_a_list_without_an_address(
    lists: ListStore, client: httpx.Client, now: datetime, list_id: str
) -> None:
    with pytest.raises(BadInput, match="no address"):
        lists.update(client, [list_id], now)
