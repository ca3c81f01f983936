"""pydicom's copies of the standard's lists, each loaded by itself: the package around them costs half a second.

Every worker of a run starts anew, and most never need more of pydicom than its dictionary.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from types import ModuleType

from deid.imaging.wheels import wheel_file


@cache
def pydicom_list(name: str) -> ModuleType:
    """Load a module of plain data, by its path in pydicom without suffix (`_dicom_dict`, `sr/_concepts_dict`).

    Raises `FileNotFoundError` where pydicom has none of that name.
    """
    path = wheel_file("pydicom", f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"{__name__}.{path.stem}", path)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - as it is for every file of Python
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
