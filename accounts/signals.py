"""What other apps may want to hear from this one, which knows none of them."""

from __future__ import annotations

from django.dispatch import Signal

site_settings_changed = Signal()
"""Sent after the commit of a change to the site settings."""

site_settings_awaited = Signal()
"""Sent with a `generation` by whoever wants to know whether it is in use everywhere. Receivers wait a little for what
is theirs, and answer "live", "applying" or "stopped"."""
