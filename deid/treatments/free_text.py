"""Free text: identifiers in it are found and replaced (자유 글); the doing is in `detect/` and `free_text.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deid.recipe_yaml import Node
from deid.treatments.treatment import Treatment, common_fields

# What a recipe may choose, the first being meant when it says nothing.
CHOICES = {
    "names": ("placeholder", "surrogate"),
    "numbers": ("placeholder", "surrogate"),
    "dates": ("placeholder", "shift"),
}


@dataclass(frozen=True)
class FreeText(Treatment):
    """Identifiers in the text are replaced by typed placeholders such as <이름>, or as the choices say.

    `names`, `numbers`: `placeholder` or `surrogate`; `dates`: `placeholder` or `shift` (the patient's own). With
    `known`, what the recipe's tables and files say of the patient, and of staff, is searched for too. `model` is a
    folder with a token classifier, one more voice; "" for none. Its path is beside the recipe unless it is absolute.
    """

    names: str = "placeholder"
    numbers: str = "placeholder"
    dates: str = "placeholder"
    known: bool = True
    model: str = ""

    @property
    def needs_shift(self) -> bool:
        """See `Treatment.needs_shift`."""
        return self.dates == "shift"

    @property
    def joined(self) -> bool:
        """See `Treatment.joined`."""
        return True

    def words(self) -> str:
        """See `Treatment.words`."""
        chosen = [f"{name} {getattr(self, name)}" for name, words in CHOICES.items() if getattr(self, name) != words[0]]
        chosen += [] if self.known else ["known values not searched"]
        chosen += ["with a model"] if self.model else []
        return f"free_text({', '.join(chosen)})" if chosen else "free_text"


def parse_free_text(_: Node, fields: Mapping[str, Node]) -> FreeText:
    """Read `free_text`. Raises `RecipeError`."""
    chosen = {name: fields[name].one_of(words) if name in fields else words[0] for name, words in CHOICES.items()}
    return FreeText(
        names=chosen["names"],
        numbers=chosen["numbers"],
        dates=chosen["dates"],
        known=fields["known"].flag() if "known" in fields else True,
        model=str(fields["model"].folder / fields["model"].text()) if "model" in fields else "",
        **common_fields(fields, default="text", allowed=("text",)),
    )
