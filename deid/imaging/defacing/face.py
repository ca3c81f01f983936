"""Where the face is in a head: pydeface's template and face mask, laid over it (Gulban et al., pydeface, MIT).

The template is registered to the volume by mutual information (Mattes et al. 2003), first rigidly and then affinely,
which holds for MR of any contrast and for CT; the mask is carried over with it. This is pydeface's own method, with
SimpleITK in the place of FSL, which installs from no registry. Of pydeface's wheel only the two pictures are read.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.imaging.defacing.masks import Mask
from deid.imaging.defacing.volume import Slice
from deid.imaging.wheels import has_files, wheel_file

WHEEL = "pydeface"
TEMPLATE, MASK = "data/mean_reg2mean.nii.gz", "data/facemask.nii.gz"
COARSE = 4.0  # mm: finer finds nothing better, and takes long
SMALLEST_SCALE, LARGEST_SCALE = 0.7, 1.4  # of the template: a child's head, a large one; beyond it is no head
LEAST_SHARED = 0.35  # nats of mutual information: unlike things share less
LEAST, MOST = 0.005, 0.3  # of the volume that a face takes
LEAST_COVERED = 0.88  # of the volume's tissue by the template's: laid wrongly, or over no head, it covers less
WIDER = 3  # mm, by which the face is taken wider than the mask: no head is just like the template


class NoFaceError(Exception):
    """No head can be told in the volume, so nobody knows where its face is."""


def is_installed() -> bool:
    """Whether the template and the mask are there."""
    return has_files(WHEEL, TEMPLATE, MASK)


def face_of(array: NDArray[np.float32], slices: list[Slice]) -> Mask:
    """Say of each voxel of a volume (slices, rows, columns) whether it is of the face. Raises `NoFaceError`."""
    import SimpleITK as sitk  # noqa: N813, PLC0415 - a second to load, for heads only

    # One thread: sums of several are not the same twice, and the same head is to be written the same twice.
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)  # type: ignore[no-untyped-call]
    image = _placed(sitk, array, slices)
    template, mask = _template()
    fixed, moving = _small(sitk, image), _small(sitk, template)
    try:
        laid, shared = _registered(sitk, fixed, moving)
    except RuntimeError as error:
        # The two do not even overlap, or there is nothing in the volume that could be followed.
        raise NoFaceError("cannot be registered") from error
    scales = np.linalg.svd(np.array(laid.GetMatrix()).reshape(3, 3), compute_uv=False)
    if shared < LEAST_SHARED or not (scales.min() > SMALLEST_SCALE and scales.max() < LARGEST_SCALE):
        raise NoFaceError("is not like a head")
    if _covered(sitk, fixed, moving, laid) < LEAST_COVERED:
        raise NoFaceError("is not where a head would be")
    found: Mask = sitk.GetArrayFromImage(sitk.Resample(mask, image, laid, sitk.sitkNearestNeighbor, 1)) == 0
    if not LEAST < found.mean() < MOST:
        raise NoFaceError("holds no face, or nothing else")
    return found


@cache
def _template() -> tuple[Any, Any]:
    import SimpleITK as sitk  # noqa: N813, PLC0415

    template = sitk.ReadImage(str(wheel_file(WHEEL, TEMPLATE)), sitk.sitkFloat32)
    mask = sitk.ReadImage(str(wheel_file(WHEEL, MASK)), sitk.sitkUInt8)
    wider = sitk.BinaryErode(mask, [WIDER] * 3, sitk.sitkBall, 0.0, 1.0)  # type: ignore[no-untyped-call]
    return template, wider


def _placed(sitk: Any, array: NDArray[np.float32], slices: list[Slice]) -> Any:
    """Give the volume its place in space: DICOM's own axes are ITK's."""
    first, last = slices[0], slices[-1]
    image = sitk.GetImageFromArray(array)
    down, across = first.spacing
    image.SetSpacing([across, down, (last.depth - first.depth) / (len(slices) - 1)])
    image.SetOrigin(first.position)
    axes = np.stack([first.orientation[:3], first.orientation[3:], first.normal], axis=1)
    image.SetDirection((axes / np.linalg.norm(axes, axis=0)).ravel().tolist())
    return image


def _small(sitk: Any, image: Any) -> Any:
    return sitk.BinShrink(image, [max(1, round(COARSE / each)) for each in image.GetSpacing()])


def _registered(sitk: Any, fixed: Any, moving: Any) -> tuple[Any, float]:
    """Lay `moving` over `fixed`; gives the affine transform and what they share (nats).

    Begun from the middles of both volumes and from their centres of mass, since neither is right for all: a neck
    pulls the one, an empty margin the other. What shares more when it is laid rigidly is followed.
    """
    begun = sitk.CenteredTransformInitializerFilter
    tried = []
    for by in (begun.GEOMETRY, begun.MOMENTS):
        rigid = sitk.Euler3DTransform(sitk.CenteredTransformInitializer(fixed, moving, sitk.Euler3DTransform(), by))
        tried.append((_followed(sitk, fixed, moving, rigid, (8.0, 4.0)), rigid))
    _, rigid = min(tried, key=lambda each: each[0])
    affine = sitk.AffineTransform(3)
    affine.SetCenter(rigid.GetCenter())
    affine.SetMatrix(rigid.GetMatrix())
    affine.SetTranslation(rigid.GetTranslation())
    metric = _followed(sitk, fixed, moving, affine, (4.0, 2.0))
    return affine, -metric if math.isfinite(metric) else 0.0


def _followed(sitk: Any, fixed: Any, moving: Any, transform: Any, blurs: tuple[float, float]) -> float:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.5, 1)  # its seed: the same head the same twice
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 200, gradientMagnitudeTolerance=1e-6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel(blurs)
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed, moving)
    return float(method.GetMetricValue())


def _covered(sitk: Any, fixed: Any, moving: Any, laid: Any) -> float:
    """Give the share of a volume's tissue over which the template's tissue came to lie."""
    over = sitk.Resample(moving, fixed, laid, sitk.sitkLinear, 0)
    tissue, template = (sitk.GetArrayFromImage(sitk.OtsuThreshold(each, 0, 1)) > 0 for each in (fixed, over))
    return float((tissue & template).sum() / max(1, tissue.sum()))
