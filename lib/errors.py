"""The one error tree. Every error says what happened and what to do next, in sentences a person can be shown.

EtudeError
├── DataError               a file, a line or an example cannot be used as it is
│   ├── UnreadableFile      the file as a whole cannot be understood (empty, binary, another format)
│   └── ArrivalStopped      a person stopped a file on its way in; nothing of it was kept
├── UnknownModel            a model id that the catalog does not know where it must
├── EncodingUnavailable     the tokens of a model cannot be counted here
├── WorkspaceError          what must last could not be kept or found
│   ├── EditConflict        somebody else changed the same example first; carries both texts
│   └── WorkspaceTooNew     written by a later version of Etude
├── EngineError             the embedded service could not be started or did its own work wrongly
└── ServiceError            a service said no, or nothing, or something nobody can read
    ├── Unreachable         no answer: address, network, proxy, TLS, or the service is down
    ├── BadCredentials      401: the key is missing, wrong, or belongs elsewhere
    ├── NotAllowed          403: this key, organisation or region may not do this
    ├── NotThere            404: no such model, job or file for this key
    ├── Rejected            400, 409, 413, 422: the request itself is at fault
    ├── Throttled           429 about speed; carries how long to wait
    ├── OutOfMoney          429 about money: never retried
    ├── ServiceBroken       5xx, a web page, or an answer that is not the protocol
    └── OutcomeUnknown      a request was sent and no answer came: it may or may not have taken effect

This module knows no service, no file format and no screen.
"""

from __future__ import annotations


class EtudeError(Exception):
    """Something a person must be told: `what` happened and what `todo` next, each a full sentence.

    `raw` is the text another program gave, kept word for word so that it can be shown under our reading of it.
    """

    def __init__(self, what: str, todo: str = "", *, raw: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo
        self.raw = raw

    def __str__(self) -> str:
        return f"{self.what} {self.todo}".strip()


class DataError(EtudeError):
    """A file, a line or an example cannot be used as it is. `line` counts from 1."""

    def __init__(self, what: str, todo: str = "", *, raw: str | None = None, line: int | None = None) -> None:
        super().__init__(what, todo, raw=raw)
        self.line = line


class UnreadableFile(DataError):
    """The file as a whole cannot be understood."""


class ArrivalStopped(DataError):
    """A person stopped a file on its way in. Nothing of it was kept."""


class UnknownModel(EtudeError):
    """A model id that the catalog does not know where it must."""


class EncodingUnavailable(EtudeError):
    """The tokens of a model cannot be counted here."""


class WorkspaceError(EtudeError):
    """What must last could not be kept or found."""


class EditConflict(WorkspaceError):
    """The same example was changed elsewhere first. Nothing was overwritten; both texts are carried."""

    def __init__(self, what: str, todo: str = "", *, mine: str, theirs: str) -> None:
        super().__init__(what, todo)
        self.mine = mine
        self.theirs = theirs


class WorkspaceTooNew(WorkspaceError):
    """The workspace was written by a later version of Etude."""


class EngineError(EtudeError):
    """The embedded service could not be started or did its own work wrongly."""


class ServiceError(EtudeError):
    """A service said no, or nothing, or something nobody can read.

    `status` is the HTTP status (None without an answer), `code` and `param` the service's own, `request_id` what its
    support will ask for.
    """

    def __init__(
        self,
        what: str,
        todo: str = "",
        *,
        raw: str | None = None,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, todo, raw=raw)
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id
        self.retry_after = retry_after


class Unreachable(ServiceError):
    """No answer: address, network, proxy, TLS, or the service is down."""


class BadCredentials(ServiceError):
    """401: the key is missing, wrong, or belongs elsewhere."""


class NotAllowed(ServiceError):
    """403: this key, organisation or region may not do this."""


class NotThere(ServiceError):
    """404: no such model, job or file for this key."""


class Rejected(ServiceError):
    """400, 409, 413, 422: the request itself is at fault."""


class Throttled(ServiceError):
    """429 about speed. `retry_after` is in seconds, None when the service did not say."""


class OutOfMoney(ServiceError):
    """429 about money: never retried."""


class ServiceBroken(ServiceError):
    """5xx, a web page, or an answer that is not the protocol."""


class OutcomeUnknown(ServiceError):
    """A request was sent and no answer came: it may or may not have taken effect."""
