"""Every error Comity raises on purpose.

    ComityError
    ├── BadInput            what was given cannot be read or is not allowed            (exit 2)
    │   ├── TooLarge        it exceeds a stated bound (bytes, depth, ratio, count)
    │   ├── UnknownFormat   no plug-in recognises it
    │   └── LawFileError    a jurisdiction file is refused: file, line, field, remedy
    ├── NotFound            the thing named does not exist here                        (exit 3)
    ├── Conflict            it exists already, or its state does not allow the step    (exit 4)
    ├── Unverified          a signature, proof, digest or identity does not hold       (exit 5)
    ├── Refused             law, handling or policy does not allow it                  (exit 6)
    │   └── NoGateway       the law of one end has no provision that lets it pass
    ├── PeerError           another node did not answer, or answered wrongly           (exit 7)
    ├── StoreError          the node's own storage failed or is damaged                (exit 8)
    └── SettingsError       the node is not set up for this                            (exit 9)

Every error says what happened, why, and what to do next. None may carry a secret.
"""

from __future__ import annotations


class ComityError(Exception):
    """Base of all deliberate errors: ``what`` happened, ``why``, and the ``remedy``."""

    exit_code = 1

    def __init__(self, what: str, *, why: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy

    def diagnostics(self) -> str:
        """The error as a person reads it: one line each for what, why and what to do next."""
        lines = [self.what]
        if self.why:
            lines.append(f"Why: {self.why}")
        if self.remedy:
            lines.append(f"What to do: {self.remedy}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, str]:
        """The same answer for machines."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "why": self.why,
            "remedy": self.remedy,
        }


class BadInput(ComityError):
    """What was given cannot be read, or is not allowed."""

    exit_code = 2


class TooLarge(BadInput):
    """Input exceeds a stated bound: bytes, depth, compression ratio, or count."""


class UnknownFormat(BadInput):
    """No plug-in recognises the input."""


class LawFileError(BadInput):
    """A jurisdiction file is refused; the message names file, line, field and remedy."""


class NotFound(ComityError):
    """The thing named does not exist here."""

    exit_code = 3


class Conflict(ComityError):
    """It exists already, or its state does not allow the step."""

    exit_code = 4


class Unverified(ComityError):
    """A signature, proof, digest or identity does not hold."""

    exit_code = 5


class Refused(ComityError):
    """Law, handling or policy does not allow it."""

    exit_code = 6


class NoGateway(Refused):
    """The law of one end has no provision that lets the message pass; names what is missing."""


class PeerError(ComityError):
    """Another node did not answer, or answered wrongly."""

    exit_code = 7


class StoreError(ComityError):
    """The node's own storage failed or is damaged."""

    exit_code = 8


class SettingsError(ComityError):
    """The node is not set up for this."""

    exit_code = 9
