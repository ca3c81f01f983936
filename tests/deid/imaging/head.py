"""A real head as a scanner stores it: Colin 27 (Debian's mricron-data), cut in any plane, as a series of DICOM files.

Where its nose is and where its brain are known in the space of the scan, so that a test can say what must go and what
must not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk  # noqa: N813 - its own name for itself
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

HEAD = Path("/usr/share/mricron/templates/ch2.nii.gz")
BRAIN = Path("/usr/share/mricron/templates/ch2bet.nii.gz")
TISSUE = 60  # of 255: skin is brighter, air is not
PATIENT = "31415926"
# Directions of rows, columns and slices in DICOM's space (left, posterior, superior).
PLANES = {
    "axial": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "axial from above": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "sagittal": ((0, 1, 0), (0, 0, -1), (-1, 0, 0)),
    "coronal": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "tilted": ((1, 0, 0), (0, 0.93969262, 0.34202014), (0, -0.34202014, 0.93969262)),
}
Volume = NDArray[Any]


@dataclass(frozen=True)
class Cut:
    """The head in one plane: stored values, and which voxels are nose, and which are brain; (slices, rows, columns)."""

    stored: Volume
    nose: Volume
    brain: Volume
    image: Any


@cache
def cut(plane: str, thickness: float = 7.0, *, turned: float = 0.0) -> Cut:
    """Cut the head; `turned` is by how much it looks to the side, in radians."""
    head, brain = sitk.ReadImage(str(HEAD), sitk.sitkFloat32), sitk.ReadImage(str(BRAIN), sitk.sitkFloat32)
    axes = np.array(PLANES[plane], float).T
    middle = np.array(head.TransformContinuousIndexToPhysicalPoint([each / 2 for each in head.GetSize()]))
    count, size = int(230 / thickness), 160
    grid = sitk.Image([size, size, count], sitk.sitkFloat32)
    spacing = np.array([1.5, 1.5, thickness])
    grid.SetSpacing(spacing.tolist())
    grid.SetDirection(axes.ravel().tolist())
    grid.SetOrigin((middle - axes @ (spacing * np.array([size, size, count]) / 2)).tolist())
    turn = sitk.Euler3DTransform(middle.tolist(), 0.0, 0.0, turned)
    values = sitk.GetArrayFromImage(sitk.Resample(head, grid, turn, sitk.sitkLinear, 0))
    inside = sitk.GetArrayFromImage(sitk.Resample(brain, grid, turn, sitk.sitkNearestNeighbor, 0)) > 0
    # Where each voxel lies in the head's own space: in front of 72 mm and below 35 mm there is nothing but the nose.
    index = np.stack(np.meshgrid(*(np.arange(each) for each in values.shape), indexing="ij"), -1)[..., ::-1]
    at = (index * spacing) @ axes.T + np.array(grid.GetOrigin()) - middle
    back = np.array(turn.GetMatrix()).reshape(3, 3)
    at = at @ back.T + middle
    nose = (values > TISSUE) & (at[..., 1] < -72) & (at[..., 2] < -35)
    return Cut(np.clip(values * 4, 0, 1023).astype(np.int16), nose, inside, grid)


def series(
    made: Cut,
    folder: Path,
    *,
    kind: str = "MR",
    said: str = "T1 BRAIN",
    write: Callable[[FileDataset], None] | None = None,
) -> list[Path]:
    """Write the slices as files, in an order that is none; gives them in that of space."""
    folder.mkdir(parents=True, exist_ok=True)
    study, whole = generate_uid(), generate_uid()
    direction = np.array(made.image.GetDirection()).reshape(3, 3)
    paths = []
    for number, layer in enumerate(made.stored):
        data = _object(layer, CTImageStorage if kind == "CT" else MRImageStorage, kind)
        data.StudyInstanceUID, data.SeriesInstanceUID, data.InstanceNumber = study, whole, number + 1
        data.SeriesDescription, data.BodyPartExamined = said, "HEAD" if "BRAIN" in said else ""
        place = made.image.TransformIndexToPhysicalPoint([0, 0, number])
        data.ImagePositionPatient = [f"{each:.4f}" for each in place]
        data.ImageOrientationPatient = [f"{each:.8f}" for each in (*direction[:, 0], *direction[:, 1])]
        data.PixelSpacing, data.SliceThickness = [1.5, 1.5], f"{made.image.GetSpacing()[2]:.2f}"
        if write:
            write(data)
        paths.append(folder / f"{(number * 7919) % 1009:04}-{number}.dcm")
        data.save_as(paths[-1], enforce_file_format=True)
    return paths


def _object(layer: Volume, sop_class: Any, kind: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = sop_class, meta.MediaStorageSOPInstanceUID, kind
    data.PatientID, data.PatientName, data.ImageType = PATIENT, "Hong^Gildong", ["ORIGINAL", "PRIMARY"]
    data.Rows, data.Columns = layer.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    if kind == "CT":
        # As tissue is in CT: air far below everything, and no more than a hundred apart else.
        layer = np.interp(layer, [0, 150, 400, 1023], [-1000, 20, 40, 120]).astype(np.int16)
        data.RescaleIntercept, data.RescaleSlope = 0, 1
    data.PixelData = layer.astype("<i2").tobytes()
    return data


def volume_of(folder: Path) -> tuple[Volume, list[FileDataset]]:
    """Read what a run wrote: the stored values in the order of space, and the objects."""
    objects = [pydicom.dcmread(path) for path in folder.rglob("*.dcm")]

    def depth(each: Any) -> float:
        across, down = np.array(each.ImageOrientationPatient[:3]), np.array(each.ImageOrientationPatient[3:])
        return float(np.dot(np.cross(across, down), each.ImagePositionPatient))

    objects.sort(key=depth)
    return np.stack([each.pixel_array for each in objects]), objects
