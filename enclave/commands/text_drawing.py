"""Drawing the sample of texts that comes with a snapshot, and sealing it. Only the sample is kept, never all texts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from io import BufferedReader
from pathlib import Path

from deid.manifest import Manifest
from deid.sampling import Estimate, draw
from deid.text_gate import asked_by
from deid.text_types import LABELS
from deid.texts import FILE, TextCase, cases_in
from enclave.commands.samples import DrawnSample, Kind
from enclave.errors import Invalid
from enclave.model.publication import TextSample, TextSampleCase
from enclave.vault import Vault


@dataclass(frozen=True)
class SealedTexts:
    """Where a run kept its texts, the vault they are sealed with, and the seed, drawn at the door and recorded.

    `held` is the file, open, for a caller whose folder the service cannot enter; else it is opened where it lies.
    """

    folder: Path
    vault: Vault
    seed: str
    held: BufferedReader | None = None

    def opened(self) -> BufferedReader | None:
        """Return the file at its beginning, None where there is none."""
        if self.held is None:
            path = self.folder / FILE
            return path.open("rb") if path.is_file() else None
        self.held.seek(0)
        return self.held


WORDS = {
    "missed": "표본 검토: 가려지지 않은 식별정보가 있습니다 (sample review: identifiers were left unmasked).",
    "bound": "표본 검토: 재현율의 하한이 기준보다 낮습니다 (sample review: the lower bound of recall is too low).",
}


def _held(least: float, made: Estimate) -> bool:
    return made.recall is not None and made.recall.low >= least


TEXTS = Kind(TextSample, TextSampleCase, frozenset(LABELS), _held, WORDS)


def purpose_of(snapshot_id: str, ref: str) -> str:
    """Name what a sealed text is for: it opens in no other place."""
    return f"text-sample:{snapshot_id}:{ref}"


def drawn(manifest: Manifest, texts: SealedTexts | None) -> DrawnSample[TextCase] | None:
    """Draw and seal the sample that the manifest asks for; None when it asks for none.

    Raises `Invalid` (`sample.no-texts`: it asks, and no texts came; `sample.other-texts`: they are another run's).
    """
    asked = asked_by(manifest.lineage)
    if asked is None:
        return None
    file = texts.opened() if texts else None
    if texts is None or file is None:
        raise _no_texts()
    with file:
        if hashlib.file_digest(file, "sha256").hexdigest() != asked.cases_sha256:
            raise _other_texts()
        file.seek(0)
        sample = draw(cases_in(file), asked.size, texts.seed)
    sealed = tuple(_sealed(texts.vault, manifest.id, case) for _, case in sample.picked)
    return DrawnSample(asked, texts.seed, sample, sealed)


def _sealed(vault: Vault, snapshot_id: str, case: TextCase) -> bytes:
    body = json.dumps(asdict(case), ensure_ascii=False).encode()
    return vault.seal(body, purpose=purpose_of(snapshot_id, case.ref))


def _no_texts() -> Invalid:
    return Invalid(
        "sample.no-texts",
        ko="이 스냅샷의 계획은 글의 표본 검토를 요구하는데 글이 함께 오지 않았습니다.",
        en="This snapshot's recipe asks for a sample review of texts, and no texts came with it.",
        remedy_ko="수행할 때 --private로 준 폴더를 --texts로 알려 주세요.",
        remedy_en="Name with --texts the folder that the run was given as --private.",
    )


def _other_texts() -> Invalid:
    return Invalid(
        "sample.other-texts",
        ko="함께 온 글이 이 스냅샷을 만든 수행의 것이 아닙니다.",
        en="The texts that came are not those of the run that made this snapshot.",
        remedy_ko="같은 수행의 비공개 폴더를 주거나 스냅샷을 다시 만드세요.",
        remedy_en="Give the private folder of the same run, or build the snapshot again.",
    )
