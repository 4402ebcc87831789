"""The collector's exceptions. Those that are answered to a client have an HTTP status."""

from __future__ import annotations

from collections.abc import Collection

from satsuma.errors import SatsumaError


class CollectorError(SatsumaError):
    """Base class of errors that are answered to a client.

    Attributes:
        status: HTTP status of the answer.
        retry_after: seconds after which the client may try again; None where that would not help.
    """

    status = 500
    retry_after: int | None = None


class BadRequestError(CollectorError):
    """The request is malformed, or has nothing that can be accepted.

    Attributes:
        path: where in the body, in JavaScript's dotted form.
        index: which event of a batch, counted from 0; 0 for a single call.
    """

    status = 400

    def __init__(self, reason: str, *, path: str = "", index: int | None = None) -> None:
        super().__init__(f"{path} {reason}" if path else reason)
        self.path = path
        self.index = index


class QueryError(CollectorError):
    """A query of the warehouse is not allowed or failed. The message tells its author why."""

    status = 400


class UnauthorizedError(CollectorError):
    """The write key or the token is missing or unknown."""

    status = 401


class ForbiddenError(CollectorError):
    """The request is not allowed, for example because the source doesn't allow pages of this origin."""

    status = 403


class NotFoundError(CollectorError):
    """There is nothing of that name or at that path."""

    status = 404


class MethodError(CollectorError):
    """The path exists, but not for this HTTP method.

    Attributes:
        allowed: the methods that the path takes.
    """

    status = 405

    def __init__(self, allowed: Collection[str], method: str) -> None:
        super().__init__(f"this path takes {', '.join(sorted(allowed))}, not {method[:20]}")
        self.allowed = allowed


class ConflictError(CollectorError):
    """The request is in conflict with the current state, and can't be carried out."""

    status = 409


class SlowError(CollectorError):
    """The body took too long to arrive."""

    status = 408


class TooLargeError(CollectorError):
    """The body is larger than the collector reads."""

    status = 413


class EncodingError(CollectorError):
    """The body is compressed in a way that the collector doesn't read."""

    status = 415


class HostError(CollectorError):
    """The request was sent to a host that this collector doesn't answer for."""

    status = 421


class BusyError(CollectorError):
    """Too much is waiting or running already. The client should try again in a moment."""

    status = 429
    retry_after = 1


class GuessingError(CollectorError):
    """Too many wrong tokens came from one address."""

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many wrong tokens came from your address: try again in {seconds} seconds")
        self.retry_after = seconds


class RateError(CollectorError):
    """A sender has sent more than the settings allow. It should send the same again later."""

    status = 429

    def __init__(self, reason: str, seconds: int) -> None:
        super().__init__(reason)
        self.retry_after = seconds


class UnavailableError(CollectorError):
    """Something that is needed doesn't work at the moment: for example, the disk is full or a database can't be
    reached."""

    status = 503
    retry_after = 5


class SettingsError(SatsumaError):
    """A setting is not valid. The message names it."""


class TokenError(SatsumaError):
    """A named token can't be made, found or kept. The message says why."""


class PlanError(SettingsError):
    """A tracking plan is not valid. The message says where."""


class AssetsError(SatsumaError):
    """The browser's files are missing. The message says how to build them."""


class BackupError(SatsumaError):
    """A backup can't be made or restored. The message says what to do."""
