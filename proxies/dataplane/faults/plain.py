"""Takes the content-encoding off a reply, so that faults can damage what the client reads."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from proxies.dataplane.decoding import Decoder, DecodingError, make_decoder
from proxies.dataplane.delivery import Reply
from proxies.dataplane.errors import ErrorKind, UpstreamError


def make_plain(reply: Reply) -> Reply | None:
    """The reply with a plain body: itself if it is not encoded, None when its coding is unknown or broken.

    A body that comes in chunks is decoded as it comes; it raises UpstreamError where it turns out to be broken. Its
    source is not closed by it.
    """
    codings = b",".join([value for name, value in reply.headers if name.lower() == b"content-encoding"])
    if not codings:
        return reply
    headers = [header for header in reply.headers if header[0].lower() not in (b"content-encoding", b"content-length")]
    try:
        decoder = make_decoder(codings)
        if decoder is None:
            return reply
        if not isinstance(reply.body, bytes):
            return Reply(reply.status, headers, _decoded(reply.body, decoder))
        body = decoder.feed(reply.body) + decoder.finish()
    except DecodingError:
        return None
    return Reply(reply.status, [*headers, (b"content-length", b"%d" % len(body))], body)


async def _decoded(body: AsyncGenerator[bytes, None], decoder: Decoder) -> AsyncGenerator[bytes, None]:
    try:
        async for chunk in body:
            if decoded := decoder.feed(chunk):
                yield decoded
        if rest := decoder.finish():
            yield rest
    except DecodingError as error:
        raise UpstreamError(
            ErrorKind.PROTOCOL, "The upstream's reply is not in the coding it claims.", is_retryable=False
        ) from error
