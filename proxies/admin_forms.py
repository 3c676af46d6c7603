"""The admin's form for a proxy: columns in, the services' own validation behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.forms.models import construct_instance

from accounts.errors import DomainError
from accounts.forms import LinesField, SeenGenerationForm
from providers.registry import all_providers
from proxies.documents import read_document, write_yaml
from proxies.errors import Invalid
from proxies.models import Proxy
from proxies.schemas import COLUMNS
from proxies.services import proxy_check


class DocumentField(forms.Field):
    """A list written as YAML or JSON, shown as YAML; empty: an empty one."""

    widget = forms.Textarea(attrs={"rows": 12, "cols": 100, "class": "vLargeTextField", "spellcheck": "false"})

    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(required=required, **kwargs)

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value or []
        if not value.strip():
            return []
        try:
            return read_document(value)
        except Invalid as error:
            raise forms.ValidationError(error.message) from None

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return value
        return write_yaml(value) if value else ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except forms.ValidationError:
            return True


class ProxyForm(SeenGenerationForm):
    """Fields are checked as the services check them, and nowhere else."""

    provider = forms.ChoiceField()
    port = forms.IntegerField(required=False, help_text="Empty: the next free one is assigned.")
    tags = LinesField(help_text="One a line.")
    allow = LinesField(help_text="Client addresses accepted, one a line; empty: all. 10.0.0.7, 10.0.0.0/8, 10.1.*.*")
    block = LinesField(help_text="Client addresses refused, one a line. A block wins over an allow.")
    cache_ignored_pointers = LinesField(
        help_text="JSON pointers into request bodies that the cache key leaves out, one a line: /metadata/user_id"
    )
    emulation_strict = forms.BooleanField(
        required=False, help_text="Unknown models, and questions that no canned reply fits, are errors."
    )
    emulation_replies = DocumentField(help_text="Canned replies in YAML or JSON: a list of match and reply.")

    limits_counts_hits = forms.BooleanField(
        required=False,
        help_text="Whether answers from the cache count. Off: the limit is asked after a miss, and after the faults.",
    )
    limits_quota_headers = forms.BooleanField(
        required=False,
        help_text="Whether successful replies carry the provider's rate limit headers with these numbers.",
    )
    faults_rules = DocumentField(
        help_text="A list in YAML or JSON: {fault: error, status: 429, rate: 0.1}, ... docs/faults.md explains it."
    )
    faults_enabled = forms.BooleanField(required=False, help_text="Off: the rules are kept, but none acts.")
    faults_per_request = forms.BooleanField(
        required=False, help_text="Whether the header x-rubberduck-fault of a request is obeyed."
    )

    class Meta:
        model = Proxy
        fields: ClassVar = [*COLUMNS.values(), "owner"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "provider" in self.fields:
            choices = [(provider.id, provider.label) for provider in all_providers().values()]
            self.fields["provider"] = forms.ChoiceField(choices=choices)

    def _post_clean(self) -> None:
        # In the place of the model's own validation, which would say everything a second time in other words.
        if self.errors:
            return
        owner = self.cleaned_data.get("owner") if self.instance._state.adding else self.instance.owner
        try:
            proxy_check(proxy=self.instance, owner=owner, fields=self.changes(), may_reference_credentials=True)
        except DomainError as error:
            self.add_reasons(error.fields or {"": error.message})
            return
        construct_instance(self, self.instance, [name for name in self.fields if name != "port"])

    def changes(self) -> dict[str, Any]:
        """The form's values by the services' field names."""
        return {name: self.cleaned_data[column] for name, column in COLUMNS.items() if column in self.cleaned_data}

    def add_reasons(self, reasons: Mapping[str, str]) -> None:
        for name, reason in reasons.items():
            column = COLUMNS.get(name, "")
            self.add_error(column if column in self.fields else None, reason)
