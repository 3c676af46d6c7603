"""The mails that accounts get: one text, shown as plain text and as a page in the product's look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.mime.image import MIMEImage
from pathlib import Path
from typing import Any, Final

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

DUCK_ID: Final = "duck@inline"  # as the page names it
_DUCK: Final = (Path(__file__).parent / "static" / "accounts" / "duck.png").read_bytes()  # 56 x 56, shown at half


class _Mail(EmailMultiAlternatives):
    mixed_subtype = "related"  # the picture belongs to the page and is no attachment


def mail_render(
    name: str, to: Sequence[str], context: Mapping[str, Any], *, sender: str, headers: Mapping[str, str] | None = None
) -> EmailMultiAlternatives:
    """A mail from the templates `NAME_subject.txt` and `NAME_message.txt`.

    Blank lines in the message separate paragraphs; a paragraph that is the context's `code` alone is shown large.
    """
    values = dict(context)
    subject = " ".join(render_to_string(f"{name}_subject.txt", values).split())
    text = "\n\n".join(_paragraphs(render_to_string(f"{name}_message.txt", values)))
    page = {"subject": subject, "paragraphs": text.split("\n\n"), "code": values.get("code"), "duck": DUCK_ID}
    mail = _Mail(subject, f"{text}\n", sender, list(to), headers=dict(headers or {}))
    mail.attach_alternative(render_to_string("accounts/mail.html", page), "text/html")
    image = MIMEImage(_DUCK, "png")
    image.add_header("Content-ID", f"<{DUCK_ID}>")
    image.add_header("Content-Disposition", "inline", filename="duck.png")
    mail.attach(image)
    return mail


def _paragraphs(text: str) -> list[str]:
    return [block.strip() for block in text.split("\n\n") if block.strip()]
