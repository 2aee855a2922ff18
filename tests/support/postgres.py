"""A throw-away PostgreSQL for tests: its own data directory, a Unix socket in it, no TCP port."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

START_SECONDS = 60


def programs() -> Path | None:
    """The directory of the newest installed PostgreSQL's programs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def cluster() -> Iterator[str]:
    """Start a cluster, yield its URL, end the process that was started. Skips where none is installed."""
    bin_ = programs()
    if bin_ is None:
        what = "PostgreSQL is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(what)
        pytest.skip(what)
    place = Path(tempfile.mkdtemp(prefix="comity-pg-"))
    # the server refuses to run as root; the package brings a user for it
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        os.chown(place, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    data = place / "data"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(place)}
    as_user = {"user": user, "group": user, "extra_groups": []} if user is not None else {}
    init = [bin_ / "initdb", "-D", data, "-U", "comity", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(init, check=True, capture_output=True, env=environment, cwd=place, **as_user)
    command = [bin_ / "postgres", "-D", data, "-k", place]
    for setting in ("listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=20"):
        command += ["-c", setting]
    with (place / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=place, **as_user)
    try:
        url = f"postgresql+psycopg://comity@/postgres?host={place}"
        _wait(url, server, place / "log")
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(place, ignore_errors=True)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import OperationalError

    engine = create_engine(url)
    for _ in range(START_SECONDS * 10):
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            engine.dispose()
        except OperationalError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-2000:]}")
