"""`manage.py createtoken`: an API token for a user, printed once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from accounts.errors import DomainError
from accounts.models import TokenScope
from accounts.selectors import user_by_email
from accounts.services import MAX_TOKEN_LIFE, token_create


class Command(BaseCommand):
    help = "Make an API token for a user and print it. It is stored hashed and cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="the address of the account")
        parser.add_argument("--name", default="command line", help="to know the token by (default: command line)")
        parser.add_argument(
            "--scope",
            choices=TokenScope.values,
            default=TokenScope.WRITE.value,
            help="read: may only GET; write: may all that the user may (default)",
        )
        parser.add_argument("--expires-days", type=int, metavar="N", help="days until it ends (default: never)")
        parser.add_argument("--json", action="store_true", help="print an object instead of the token alone")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expires_days"]
        if days is not None and not 1 <= days <= MAX_TOKEN_LIFE.days:
            raise CommandError(f"--expires-days: use a number from 1 to {MAX_TOKEN_LIFE.days}.")
        expires_at = None if days is None else timezone.now() + timedelta(days=days)
        try:
            user = user_by_email(options["email"])
            row, token = token_create(user=user, name=options["name"], scope=options["scope"], expires_at=expires_at)
        except DomainError as error:
            raise CommandError(error.message) from None
        except DatabaseError as error:
            raise CommandError(f"The database failed: {error}. Has `manage.py migrate` been run?") from None
        if not options["json"]:
            self.stdout.write(token)
            return
        shown = {
            "id": row.pk,
            "token": token,
            "name": row.name,
            "scope": row.scope,
            "user": user.email,
            "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        }
        self.stdout.write(json.dumps(shown))
