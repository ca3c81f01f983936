"""pydicom's copies of the standard's lists, each loaded by itself: the package around them costs half a second.

Every worker of a run starts anew, and most never need more of pydicom than its dictionary.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType


@cache
def pydicom_list(name: str) -> ModuleType:
    """Load a module of plain data, by its path in pydicom without suffix (`_dicom_dict`, `sr/_concepts_dict`).

    Raises `ModuleNotFoundError` where pydicom has none of that name.
    """
    package = importlib.util.find_spec("pydicom")
    for folder in (package.submodule_search_locations if package else None) or ():
        path = Path(folder) / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"{__name__}.{path.stem}", path)
        if path.is_file() and spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise ModuleNotFoundError(f"pydicom/{name}.py is not there: locks/runtime.txt")
