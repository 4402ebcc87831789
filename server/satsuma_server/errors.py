"""What can go wrong in the collector; each kind knows its HTTP status."""

from __future__ import annotations

from collections.abc import Collection

from satsuma.errors import SatsumaError


class CollectorError(SatsumaError):
    """Root of the collector's errors.

    Attributes:
        status: HTTP status of the answer.
        retry_after: seconds after which the client may try again, None where trying again is no use.
    """

    status = 500
    retry_after: int | None = None


class BadRequestError(CollectorError):
    """The body can't be read, or holds nothing that can be accepted.

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
    """A question to the warehouse can't be answered; the message is what its author has to know."""

    status = 400


class UnauthorizedError(CollectorError):
    """The write key or the token is missing or unknown."""

    status = 401


class ForbiddenError(CollectorError):
    """The source doesn't allow pages of this origin."""

    status = 403


class NotFoundError(CollectorError):
    """There is nothing of that name."""

    status = 404


class MethodError(CollectorError):
    """There is something at this path, but not for this method.

    Attributes:
        allowed: the methods that there is something for.
    """

    status = 405

    def __init__(self, allowed: Collection[str], method: str) -> None:
        super().__init__(f"this path takes {', '.join(sorted(allowed))}, not {method[:20]}")
        self.allowed = allowed


class ConflictError(CollectorError):
    """What is asked for can't be done to things as they are."""

    status = 409


class SlowError(CollectorError):
    """The body took too long to come."""

    status = 408


class TooLargeError(CollectorError):
    """The body is larger than the collector reads."""

    status = 413


class BusyError(CollectorError):
    """The log falls behind: too much waits to be written."""

    status = 429
    retry_after = 1


class UnavailableError(CollectorError):
    """The log can't write: the disk is full, read-only or gone."""

    status = 503
    retry_after = 5


class SettingsError(SatsumaError):
    """The collector's settings can't be used; the message names the setting."""


class PlanError(SettingsError):
    """A tracking plan can't be used; the message says where."""


class AssetsError(SatsumaError):
    """The browser's files are missing; the message says how to build them."""
