"""What is never imported, by its bytes or its name: files that run code when they are opened, and what cannot be read.

korea.md R38: `safetensors`, ONNX, XGBoost (JSON, UBJSON) and LightGBM (text) hold numbers only; a pickle is a program.
"""

from __future__ import annotations

import pickletools
from pathlib import PurePosixPath

from enclave.airlock.parsers.refused import ParseRefused

PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".ckpt", ".dill", ".cloudpickle", ".mar"})
OPAQUE = frozenset({".h5", ".hdf5", ".keras", ".rds", ".rdata", ".npy", ".npz", ".pb", ".tflite", ".gguf", ".mat"})
# A pickle of protocol 2 or later begins with PROTO; zlib and LZ4 streams are what joblib wraps around one.
PICKLE_MAGIC = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"ZF0x", b"\x78\x9c\x80", b"\x04\x22\x4d\x18")
RUNS = frozenset({"GLOBAL", "STACK_GLOBAL", "REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD", "EXT1"})
# An old pickle is text; whoever hides one in a large text still has to fit it before the first letter that is none.
LOOKED_AT, MOST_STEPS = 1 << 20, 100_000
INSTEAD_KO = "모델은 safetensors, ONNX, XGBoost(json/ubj), LightGBM(txt)로 저장해 올리세요."
INSTEAD_EN = "Save models as safetensors, ONNX, XGBoost (json/ubj) or LightGBM (txt)."


def check_may_come(content: bytes, name: str) -> None:
    """Raise `ParseRefused` (`import.pickle`, `import.opaque`) for a file that could run code when it is opened."""
    ending = PurePosixPath(name).suffix.lower()
    if ending in PICKLES or content.startswith(PICKLE_MAGIC) or is_pickle(content):
        raise ParseRefused(
            "import.pickle",
            f"피클 계열 파일은 여는 순간 코드를 실행할 수 있어 받지 않습니다(R38). {INSTEAD_KO}",
            f"A pickle can run code when it is opened, so it is not taken (R38). {INSTEAD_EN}",
        )
    if ending in OPAQUE or content.startswith(b"\x89HDF\r\n\x1a\n"):
        raise ParseRefused(
            "import.opaque",
            f"{ending or 'HDF5'} 파일은 안의 내용을 모두 확인할 수 없어 받지 않습니다(R38). {INSTEAD_KO}",
            f"A {ending or 'HDF5'} file cannot be looked through, so it is not taken (R38). {INSTEAD_EN}",
        )


def is_pickle(content: bytes) -> bool:
    """Whether the bytes, whatever their name, are a whole pickle that names or builds an object; nothing is run."""
    found = set()
    try:
        for step, (code, _, _) in enumerate(pickletools.genops(content[:LOOKED_AT])):
            found.add(code.name)
            if step > MOST_STEPS:
                break
    except Exception:  # noqa: BLE001 - it raises whatever the bytes made it stumble over: then it is no pickle
        return False
    return bool(found & RUNS)
