"""What other apps may want to hear from this one, which knows none of them."""

from __future__ import annotations

from django.dispatch import Signal

site_settings_changed = Signal()
"""Sent after the commit of a change to the site settings."""
