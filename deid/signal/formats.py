"""The formats of signals, in the order in which they are asked: those that their content tells before names decide."""

from __future__ import annotations

from deid.folder.format import Format
from deid.signal.aecg import Aecg
from deid.signal.c3d import C3d
from deid.signal.edf import Edf
from deid.signal.mfer import Mfer
from deid.signal.nifti import Nifti
from deid.signal.nifti_pair import NiftiPair
from deid.signal.scp import Scp
from deid.signal.stills.jpeg import Jpeg
from deid.signal.stills.png import Png
from deid.signal.streams.csv_stream import Csv
from deid.signal.streams.json_stream import Json
from deid.signal.wfdb import Wfdb

SIGNAL_FORMATS: tuple[Format, ...] = (
    *(Edf(), Scp(), Aecg(), Mfer(), Wfdb(), C3d(), Nifti(), NiftiPair(), Jpeg(), Png()),
    *(Json(), Csv()),
)
