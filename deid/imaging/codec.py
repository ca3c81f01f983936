"""One frame out of its transfer syntax and back, for the frames that hold letters; no other frame is ever decoded here.

What was stored without loss is stored without loss again. Lossy JPEG 2000 and JPEG-LS take a lossless frame in the same
syntax, which their syntaxes allow; where nothing can be written (JPEG lossless, 12-bit JPEG, HTJ2K) the whole object
changes to JPEG-LS or JPEG 2000 without loss.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.folder.format import Refused
from deid.imaging.frames import encapsulated
from deid.imaging.picture import Picture
from deid.imaging.pixels import J2K, RLE
from deid.imaging.streams import j2k, jpeg

Array = NDArray[Any]
BASELINE, EXTENDED, LOSSLESS, LOSSLESS_SV1 = (f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70))
JPEG_LS, NEAR_LS = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"
J2K_LOSSLESS, J2K_ANY = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"
# What an object is written in when its own syntax cannot be.
INSTEAD = {EXTENDED: JPEG_LS, LOSSLESS: JPEG_LS, LOSSLESS_SV1: JPEG_LS} | dict.fromkeys(
    (f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203, 92, 93)), J2K_LOSSLESS
)
PLUGINS = {RLE: "pydicom", BASELINE: "pillow", JPEG_LS: "pyjpegls", NEAR_LS: "pyjpegls"}


def decode(frame: bytes, syntax: str, picture: Picture) -> Array:
    """Decode one frame to (rows, columns) or (rows, columns, samples), as stored. Raises `Refused`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(frame, syntax, picture)
    except Exception as error:  # decoders raise what they like; a frame that cannot be seen cannot be cleared
        raise Refused(
            "imaging.decode", "화소를 풀 수 없습니다.", "has pixels that cannot be decoded.", policy=False
        ) from error


def _decode(frame: bytes, syntax: str, picture: Picture) -> Array:
    if syntax in J2K:
        from openjpeg.utils import decode as decode_j2k  # noqa: PLC0415 - only for these files

        return np.asarray(decode_j2k(frame))
    from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415 - half a second, for pixels that are decoded
    from pydicom.uid import UID  # noqa: PLC0415

    decoder: Any = get_decoder(UID(syntax))
    array, _ = decoder.as_array(
        encapsulated([frame]), index=0, raw=True, decoding_plugin=PLUGINS.get(syntax, "gdcm"), **_options(picture)
    )
    return np.asarray(array)


def encode(array: Array, syntax: str, picture: Picture, original: bytes) -> bytes:
    """Encode one frame without loss; `original` says how deep its samples are. Raises `Refused`."""
    try:
        return _encode(np.ascontiguousarray(array), syntax, picture, original)
    except Exception as error:  # encoders raise what they like; a frame that cannot be written is not published
        raise Refused(
            "imaging.encode", "이 압축으로는 다시 쓸 수 없습니다.", "cannot be written again in its syntax."
        ) from error


def _encode(array: Array, syntax: str, picture: Picture, original: bytes) -> bytes:
    if syntax in {JPEG_LS, NEAR_LS}:
        import jpeg_ls  # noqa: PLC0415 - only for these files

        # JPEG-LS knows no sign: the stored bits are written, and DICOM's own attribute says what they mean.
        bits = array.view(f"u{array.itemsize}") & np.array((1 << picture.stored) - 1, f"u{array.itemsize}")
        return bytes(jpeg_ls.encode_array(bits, interleave_mode=2 if bits.ndim > 2 else None))  # noqa: PLR2004
    if syntax in {J2K_LOSSLESS, J2K_ANY}:
        from openjpeg.utils import encode_array  # noqa: PLC0415 - only for these files

        together = picture.photometric in {"YBR_RCT", "YBR_ICT"}
        deep = j2k.precision(original) if original[:2] == b"\xff\x4f" else picture.stored
        return bytes(encode_array(array, deep, photometric_interpretation=int(together), use_mct=together))
    if syntax == RLE:
        return _rle(array, picture)
    raise NotImplementedError(syntax)


def _rle(array: Array, picture: Picture) -> bytes:
    from pydicom.pixels.encoders.base import get_encoder  # noqa: PLC0415 - as above
    from pydicom.uid import UID  # noqa: PLC0415

    options = {**_options(picture), "planar_configuration": 0}
    encoder: Any = get_encoder(UID(RLE))
    return bytes(encoder.encode(array, encoding_plugin="pydicom", **options))


def _options(picture: Picture) -> dict[str, Any]:
    """Describe one frame in pydicom's words."""
    return {
        "rows": picture.rows, "columns": picture.columns, "samples_per_pixel": picture.samples,
        "photometric_interpretation": picture.photometric, "bits_allocated": picture.allocated,
        "bits_stored": picture.stored, "pixel_representation": int(picture.signed), "number_of_frames": 1,
        "planar_configuration": int(picture.planar), "pixel_keyword": "PixelData",
    }  # fmt: skip


def depth(frame: bytes, syntax: str) -> int:
    """Give the bits that a stream's samples have; 0 where it does not say."""
    return j2k.precision(frame) if syntax in J2K else jpeg.precision(frame)
