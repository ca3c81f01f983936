"""A list resolved against the mirror with pip's own resolver: there, needs approval, or impossible (korea.md R40).

What the workspace image brings along is fixed: it stands before everything else on the path, so another version of it
could be installed and would never be imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from resolvelib import AbstractProvider, BaseReporter, ResolutionImpossible, ResolutionTooDeep, Resolver

from enclave.packages.asked import Asked
from enclave.packages.index import ENVIRONMENT, Index, Wheel

MOST_ROUNDS = 20_000


class Status(StrEnum):
    """What can be said of one line."""

    IMAGE = "image"
    AVAILABLE = "available"
    NEEDS_APPROVAL = "needs-approval"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True)
class Answer:
    """What one line comes to: the version, everything it needs that is not in the image, or the reason why not."""

    line: str
    status: Status
    name: str = ""
    version: str = ""
    needs: tuple[Wheel, ...] = ()
    code: str = ""
    ko: str = ""
    en: str = ""


@dataclass(frozen=True)
class Resolved:
    """All lines, and the wheels of the whole list together; none if there is no such set.

    `advisories`: known ones by SHA-256 of the wheels that have any; None where there is nothing to compare with.
    """

    answers: tuple[Answer, ...]
    wheels: tuple[Wheel, ...]
    advisories: Mapping[str, tuple[str, ...]] | None = None

    @property
    def lock(self) -> str:
        """What is asked to be approved: each wheel by name, version and hash."""
        return "".join(f"{wheel.pin}\n" for wheel in sorted(self.wheels, key=lambda each: each.name))


@dataclass(frozen=True)
class _Candidate:
    """A version that could be taken: a wheel of the mirror, or what the image has (`wheel` is None)."""

    name: str
    version: Version
    wheel: Wheel | None
    extras: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Need:
    """One requirement inside a resolution."""

    requirement: Requirement
    hashes: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)


def resolve(asked: Sequence[Asked], index: Index, approved: Iterable[str]) -> Resolved:
    """Answer each line; `approved`: SHA-256 of the wheels that this project may install already."""
    allowed = frozenset(approved)
    good = [each for each in asked if each.requirement is not None]
    try:
        together = _solved([_Need(each.requirement, each.hashes) for each in good if each.requirement], index)
    except (ResolutionImpossible, ResolutionTooDeep):
        return Resolved(tuple(_one_by_one(asked, index, allowed)), ())
    wheels = tuple(each.wheel for each in together.values() if each.wheel)
    return Resolved(tuple(_answer(each, together, allowed) for each in asked), wheels)


def _answer(asked: Asked, together: Mapping[str, _Candidate], allowed: frozenset[str]) -> Answer:
    if asked.problem or asked.requirement is None:
        return _problem(asked)
    found = together[asked.name]
    if found.wheel is None:
        return Answer(asked.line, Status.IMAGE, asked.name, str(found.version))
    needs = tuple(_closure(found, together))
    done = {wheel.sha256 for wheel in needs} <= allowed
    return Answer(
        asked.line, Status.AVAILABLE if done else Status.NEEDS_APPROVAL, asked.name, str(found.version), needs
    )


def _closure(found: _Candidate, together: Mapping[str, _Candidate]) -> Iterator[Wheel]:
    seen: set[str] = set()
    waiting = [found]
    while waiting:
        here = waiting.pop()
        if here.name in seen or here.wheel is None:
            continue
        seen.add(here.name)
        yield here.wheel
        waiting.extend(together[need.name] for need in _needs_of(here) if need.name in together)


def _problem(asked: Asked) -> Answer:
    code, ko, en = asked.problem or ("form", "", "")
    return Answer(asked.line, Status.IMPOSSIBLE, code=code, ko=ko, en=en)


def _one_by_one(asked: Sequence[Asked], index: Index, allowed: frozenset[str]) -> Iterator[Answer]:
    """Say which lines of an impossible list cannot be: alone, or with those before them."""
    kept: list[_Need] = []
    for each in asked:
        if each.problem or each.requirement is None:
            yield _problem(each)
            continue
        need = _Need(each.requirement, each.hashes)
        try:
            together = _solved([*kept, need], index)
        except (ResolutionImpossible, ResolutionTooDeep) as error:
            yield _why_not(each, index, error)
            continue
        kept.append(need)
        yield _answer(each, together, allowed)


def _why_not(asked: Asked, index: Index, error: Exception) -> Answer:
    name = asked.name
    known, blamed = index.by_name.get(name, ()), sorted({need.name for need in _blamed(error)} - {name})
    requirement = asked.requirement
    matching = [
        each for each in known if requirement and requirement.specifier.contains(each.version, prereleases=True)
    ]
    if name in index.image:
        said = (
            "image",
            f"작업공간 이미지의 버전은 {index.image[name]}으로 고정되어 있습니다",
            f"the image has version {index.image[name]}",
        )
    elif not known:
        said = (
            "unknown",
            "휠 미러의 목록에 없습니다. 운영자에게 찾아 달라고 하세요(ansim packages look-up)",
            "not in the mirror's index; ask the operator to look it up (ansim packages look-up)",
        )
    elif not matching:
        versions = ", ".join(each.version for each in known[:5])
        said = ("version", f"맞는 버전이 없습니다(미러: {versions})", f"no such version (the mirror has {versions})")
    elif not any(each.fits for each in matching):
        said = ("platform", "이 작업공간의 파이썬·플랫폼용 휠이 없습니다", "no wheel for this Python and platform")
    elif asked.hashes and not any(each.sha256 in asked.hashes for each in matching):
        said = ("hash", "잠금 파일의 해시와 다른 파일입니다", "the mirror's file has another hash than the lock")
    else:
        which = ", ".join(blamed)[:200] or "-"
        said = ("conflict", f"필요한 다른 패키지를 맞출 수 없습니다: {which}", f"what it needs cannot be had: {which}")
    return Answer(asked.line, Status.IMPOSSIBLE, name, code=said[0], ko=said[1], en=said[2])


def _blamed(error: Exception) -> list[_Need]:
    if isinstance(error, ResolutionImpossible):
        return [cause.requirement for cause in error.causes]
    return []


def _solved(needs: list[_Need], index: Index) -> Mapping[str, _Candidate]:
    resolver: Resolver[_Need, _Candidate, str] = Resolver(_Provider(index), BaseReporter())
    return resolver.resolve(needs, max_rounds=MOST_ROUNDS).mapping


def _needs_of(candidate: _Candidate) -> list[_Need]:
    """Return what a candidate requires in a workspace; the image's own requirements are met by the image."""
    if candidate.wheel is None:
        return []
    found = []
    for text in candidate.wheel.requires:
        try:
            need = Requirement(text)
        except InvalidRequirement:
            continue
        extras = [*candidate.extras, ""]
        if need.marker is None or any(need.marker.evaluate({**ENVIRONMENT, "extra": extra}) for extra in extras):
            found.append(_Need(need))
    return found


class _Provider(AbstractProvider[_Need, _Candidate, str]):
    """What resolvelib asks: names, candidates, requirements."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def identify(self, requirement_or_candidate: _Need | _Candidate) -> str:
        """Return the package's name."""
        return requirement_or_candidate.name

    def get_preference(
        self,
        identifier: str,
        resolutions: Any,  # noqa: ARG002 - resolvelib's signature
        candidates: Any,  # noqa: ARG002
        information: Any,  # noqa: ARG002
        backtrack_causes: Any,  # noqa: ARG002
    ) -> tuple[bool, int, str]:
        """Decide first on what leaves least choice: the image's, then what has few versions."""
        return identifier not in self._index.image, len(self._index.by_name.get(identifier, ())), identifier

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[_Need]],
        incompatibilities: Mapping[str, Iterator[_Candidate]],
    ) -> list[_Candidate]:
        """Return the candidates that all requirements allow, newest first."""
        needs = list(requirements[identifier])
        out = {(each.version, each.wheel) for each in incompatibilities[identifier]}
        extras = frozenset(extra for need in needs for extra in need.requirement.extras)
        found = [each for each in self._candidates(identifier, extras) if all(_meets(each, need) for need in needs)]
        return [each for each in found if (each.version, each.wheel) not in out]

    def is_satisfied_by(self, requirement: _Need, candidate: _Candidate) -> bool:
        """Say whether a candidate is what a requirement asks for."""
        return _meets(candidate, requirement)

    def get_dependencies(self, candidate: _Candidate) -> list[_Need]:
        """Return what a candidate requires."""
        return _needs_of(candidate)

    def _candidates(self, name: str, extras: frozenset[str]) -> Iterator[_Candidate]:
        if name in self._index.image:
            yield _Candidate(name, Version(self._index.image[name]), None, extras)
            return
        for wheel in self._index.by_name.get(name, ()):
            if wheel.fits:
                yield _Candidate(name, Version(wheel.version), wheel, extras)


def _meets(candidate: _Candidate, need: _Need) -> bool:
    wanted = need.requirement.specifier
    prereleases = candidate.wheel is None or bool(wanted.prereleases)
    right = wanted.contains(candidate.version, prereleases=prereleases or None)
    return right and (not need.hashes or candidate.wheel is None or candidate.wheel.sha256 in need.hashes)
