"""Who is at the desk: operator sessions, tokens against forged forms, and a brake on guessing."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from comity.errors import Refused, SettingsError

LIFETIME = timedelta(hours=8)
MIN_TOKEN = 16
MAX_SESSIONS = 256
MAX_FAILURES = 5
MAX_CLIENTS = 4096
WINDOW = timedelta(minutes=5)


class Sessions:
    """Sessions of one process, kept in memory: a restart signs everyone out.

    ``random(n)`` gives n unpredictable bytes. Raises SettingsError when ``token`` is too short for a secret.
    """

    def __init__(self, token: str, clock: Callable[[], datetime], random: Callable[[int], bytes]) -> None:
        if len(token) < MIN_TOKEN:
            raise SettingsError(
                "the operator token is too short",
                why=f"it has fewer than {MIN_TOKEN} characters and could be guessed",
                remedy="let the node make one, or set a longer one",
            )
        self._clock, self._random = clock, random
        self._key = random(32)
        self._token = self._mac(token)
        self._until: dict[str, datetime] = {}
        self._failures: dict[str, deque[datetime]] = {}
        self._lock = threading.Lock()

    def _mac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()

    def new_id(self) -> str:
        """A fresh id for a visitor, which says nothing about who they are."""
        return self._random(32).hex()

    def csrf(self, visitor: str) -> str:
        """The token that every form given to this visitor must bring back."""
        return self._mac(f"form {visitor}")

    def check_csrf(self, visitor: str, given: str) -> None:
        """Raises Refused unless the form was made for this visitor."""
        if not visitor or not hmac.compare_digest(
            self.csrf(visitor).encode(), given.encode(errors="replace")
        ):
            raise Refused(
                "this form was not made for your session",
                why="its token is missing or stale; another site may have sent it",
                remedy="open the page again and repeat the step",
            )

    def signed_in(self, visitor: str) -> bool:
        """Whether this visitor has signed in, and not too long ago."""
        until = self._until.get(visitor)
        return until is not None and self._clock() < until

    def wait(self, client: str) -> int:
        """Seconds until ``client`` may try again; 0 when it may try now."""
        with self._lock:
            failures = self._recent(client)
            if len(failures) < MAX_FAILURES:
                return 0
            return max(1, int((failures[0] + WINDOW - self._clock()).total_seconds()))

    def _recent(self, client: str) -> deque[datetime]:
        failures = self._failures.get(client, deque())
        while failures and failures[0] + WINDOW <= self._clock():
            failures.popleft()
        return failures

    def sign_in(self, token: str, client: str) -> str:
        """A new session's id for the right token. Raises Refused, and counts the failure."""
        if not hmac.compare_digest(self._mac(token), self._token):
            with self._lock:
                failures = self._recent(client)
                failures.append(self._clock())
                self._failures.pop(client, None)
                self._failures[client] = failures
                while len(self._failures) > MAX_CLIENTS:
                    del self._failures[next(iter(self._failures))]
            raise Refused(
                "that is not the operator token of this node",
                remedy="ask whoever runs the node; the token is shown where the node is set up",
            )
        with self._lock:
            self._failures.pop(client, None)
            session = self.new_id()
            self._until[session] = self._clock() + LIFETIME
            while len(self._until) > MAX_SESSIONS:
                del self._until[next(iter(self._until))]
        return session

    def sign_out(self, visitor: str) -> None:
        """End the session, if there is one."""
        with self._lock:
            self._until.pop(visitor, None)
