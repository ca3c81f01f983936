"""The recognisers that look at Korean text, in one Presidio registry."""

from __future__ import annotations

from presidio_analyzer import RecognizerRegistry

from deid.detect.address import AddressRecogniser
from deid.detect.age import AgeRecogniser
from deid.detect.bank_account import BankAccountRecogniser
from deid.detect.business_number import BusinessNumberRecogniser
from deid.detect.card import CardRecogniser
from deid.detect.date import DateRecogniser
from deid.detect.driver_license import DriverLicenseRecogniser
from deid.detect.email_url_ip import EmailUrlIpRecogniser
from deid.detect.hl7 import Hl7Recogniser
from deid.detect.insurance_number import InsuranceNumberRecogniser
from deid.detect.licence_number import LicenceNumberRecogniser
from deid.detect.linking_information import LinkingInformationRecogniser
from deid.detect.name import NameRecogniser
from deid.detect.organisation import OrganisationRecogniser
from deid.detect.parcel import ParcelRecogniser
from deid.detect.passport import PassportRecogniser
from deid.detect.phone import PhoneRecogniser
from deid.detect.plate import PlateRecogniser
from deid.detect.recogniser import KoreanRecogniser
from deid.detect.record_number import RecordNumberRecogniser
from deid.detect.rrn import RrnRecogniser
from deid.detect.table import TableRecogniser

RECOGNISERS: tuple[type[KoreanRecogniser], ...] = (
    RrnRecogniser,
    PhoneRecogniser,
    EmailUrlIpRecogniser,
    CardRecogniser,
    BusinessNumberRecogniser,
    PassportRecogniser,
    DriverLicenseRecogniser,
    BankAccountRecogniser,
    InsuranceNumberRecogniser,
    LicenceNumberRecogniser,
    RecordNumberRecogniser,
    LinkingInformationRecogniser,
    PlateRecogniser,
    AddressRecogniser,
    ParcelRecogniser,
    DateRecogniser,
    AgeRecogniser,
    NameRecogniser,
    OrganisationRecogniser,
    Hl7Recogniser,
    TableRecogniser,
)


def registry() -> RecognizerRegistry:
    """Return a new registry for language `ko` holding one instance of each recogniser."""
    return RecognizerRegistry(recognizers=[kind() for kind in RECOGNISERS], supported_languages=["ko"])
