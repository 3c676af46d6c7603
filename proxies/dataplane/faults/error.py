"""The `error` fault: the provider's own error reply in the place of the real one."""

from __future__ import annotations

from dataclasses import dataclass

from providers.faults.base import Reason
from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Fault, Injection, Stage, setting


@dataclass(frozen=True)
class ErrorReplyFault(Fault):
    """Answers by itself. What the reply looks like is the provider's business."""

    kind = "error"
    title = "Error reply"
    summary = (
        "The provider's genuine error in the place of the reply: its body, headers and request id, for any status from "
        "400 to 599 and for the failures people know by name."
    )
    stage = Stage.REPLACE

    status: int | None = setting(None, "HTTP status of the reply.", ge=400, le=599, example=429)
    reason: Reason | None = setting(None, "The failure by name; it brings its own status.", example=Reason.OVERLOADED)
    message: str | None = setting(None, "Words in the place of the provider's usual ones.", example="Try later.")
    code: str | None = setting(
        None, "The error's code or type in the place of the usual one.", max_length=100, example="server_is_tired"
    )
    retry_after: float | None = setting(
        None,
        "Seconds the client is told to wait, in the provider's own headers. Left out: what the provider usually says.",
        ge=0,
        le=86_400,
        example=2,
    )

    def check(self) -> str | None:
        if self.status is None and self.reason is None:
            return "status: give a status, a reason, or both"
        if self.code is not None and not (self.code.isascii() and self.code.isprintable() and self.code.strip()):
            return "code: use letters, digits and signs without line breaks"
        return None

    async def replace(self, injection: Injection) -> Reply:
        made = injection.dialect.error(
            injection.asked,
            status=self.status,
            reason=self.reason,
            message=self.message,
            code=self.code,
            retry_after_s=self.retry_after,
        )
        return Reply(made.status, [*made.headers, (b"content-length", b"%d" % len(made.body))], made.body)
