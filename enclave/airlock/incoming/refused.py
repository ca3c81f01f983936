"""What is never imported, by its bytes or its name: files that run code when they are opened, and what cannot be read.

korea.md R38: `safetensors`, ONNX, XGBoost (JSON, UBJSON) and LightGBM (text) hold numbers only; a pickle is a program.
"""

from __future__ import annotations

import io
import pickletools
from pathlib import PurePosixPath

from enclave.airlock.parsers.refused import ParseRefused

PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".ckpt", ".dill", ".cloudpickle", ".mar"})
OPAQUE = frozenset({".h5", ".hdf5", ".keras", ".rds", ".rdata", ".npy", ".npz", ".pb", ".tflite", ".gguf", ".mat"})
# A pickle of protocol 2 or later begins with PROTO; zlib and LZ4 streams are what joblib wraps around one.
PICKLE_MAGIC = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"ZF0x", b"\x78\x9c\x80", b"\x04\x22\x4d\x18")
RUNS = frozenset({"GLOBAL", "STACK_GLOBAL", "REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD", "EXT1"})
NAMES = frozenset({"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"})
# What calls something when it is reached, whether or not the pickle ever ends.
CALLS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
# Nothing but a pickle has so many valid steps in a row from its first byte on.
MOST_STEPS = 100_000
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
    """Whether the bytes, whatever their name, are a pickle that names or builds an object; nothing is run.

    A reader runs each step as it comes: one that breaks off behind a call, or never ends, has called all the same.
    """
    found: set[str] = set()
    stack: list[pickletools.StackObject] = []
    try:
        for step, (code, _, _) in enumerate(pickletools.genops(io.BytesIO(content))):
            _take(stack, code)
            found.add(code.name)
            if step > MOST_STEPS:
                return True
    except Exception:  # noqa: BLE001 - it raises whatever the bytes made it stumble over: no reader comes further
        return bool(found & NAMES and found & CALLS)
    return bool(found & RUNS)


def _take(stack: list[pickletools.StackObject], code: pickletools.OpcodeInfo) -> None:
    """Do to the stack what a step does, as `pickletools.dis` does. Raises `IndexError` where it has too little."""
    wanted = len(code.stack_before)
    to_mark = pickletools.markobject in code.stack_before
    if to_mark or (code.name == "POP" and stack and stack[-1] is pickletools.markobject):
        while stack.pop() is not pickletools.markobject:
            pass
        wanted = code.stack_before.index(pickletools.markobject) if to_mark else 0
    taken = stack[len(stack) - wanted :] if wanted else []
    if len(stack) < wanted or pickletools.markobject in taken:
        raise IndexError(code.name)
    del stack[len(stack) - wanted :]
    stack.extend(code.stack_after)
