"""An error that is told inside a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from providers.faults.base import Reason
from providers.wire import sse
from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Injection, setting
from proxies.dataplane.faults.events import Framing
from proxies.dataplane.faults.stream import Stream, StreamFault, framing_of


@dataclass(frozen=True)
class StreamError(StreamFault):
    """The provider's own error event, and then the stream's clean end; the call upstream is cancelled."""

    kind = "stream_error"
    title = "Error inside a stream"
    summary = (
        "After some events the provider's own error event arrives, in a reply that began with status 200, and the "
        "stream ends."
    )
    order = 40
    drops_upstream = True

    events: int = setting(1, "How many events arrive before the error.", ge=0, le=1_000_000)
    status: int | None = setting(
        None, "The status the error would have had, had it come in time.", ge=400, le=599, example=503
    )
    reason: Reason | None = setting(None, "What went wrong.", example="overloaded")
    message: str | None = setting(None, "The error's words, instead of the usual ones.", max_length=500)

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        if framing_of(reply, injection.exchange) is Framing.CHUNKS:  # sound: there is no place for words
            return None
        return super().damage(reply, injection)

    async def pieces(self, stream: Stream) -> AsyncGenerator[bytes, None]:
        left = self.events
        if left:
            async for piece in stream:
                yield piece
                left -= stream.is_event(piece)
                if not left:
                    break
            else:
                return
        stream.injection.note()
        yield self._error(stream)

    def _error(self, stream: Stream) -> bytes:
        injection = stream.injection
        is_array = stream.kind is Framing.JSON_ARRAY
        told = injection.dialect.stream_error(
            replace(injection.asked, events_sent=self.events),
            b"text/event-stream" if is_array else stream.content_type,
            status=self.status,
            reason=self.reason,
            message=self.message,
        )
        if not is_array:
            return told
        return b"%b%b]" % (b",\r\n" if self.events else b"[", b"".join(event.data for event in sse.events(told)))
