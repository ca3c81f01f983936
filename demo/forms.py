"""The forms of a page as a browser has them: where each goes, what it holds already, what may be typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """One form: its address, hidden values, and names of the other fields; `required` are those that must be typed."""

    action: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    required: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    """Collects every form of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a form, or note a field of the open one."""
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(values.get("action", ""))
            self.forms.append(self._open)
        elif tag in {"input", "textarea", "select"} and self._open and (name := values.get("name")):
            if values.get("type") == "hidden":
                self._open.hidden[name] = values.get("value", "")
                return
            self._open.fields.append(name)
            if "required" in values:
                self._open.required.add(name)

    def handle_endtag(self, tag: str) -> None:
        """Close a form."""
        if tag == "form":
            self._open = None


def forms(page: str) -> list[Form]:
    """Return the forms of an HTML page, in its order."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def first_form(page: str) -> Form:
    """Return the first form of a page, an empty one if there is none."""
    return next(iter(forms(page)), Form())


def form_to(page: str, end: str) -> Form | None:
    """Return the form whose address ends so, None where the page offers none."""
    return next((each for each in forms(page) if each.action.endswith(end)), None)
