"""FHIR R4 (HL7, 4.0.1): which elements of a resource identify (requirement R104).

Elements are named by their path without the resource's type and without array positions (`name.given`,
`subject.reference`); the extension of a primitive (`_birthDate`) is written as a part of it (`birthDate.extension`).
Data types decide more than resources: a HumanName, Address, ContactPoint, Identifier, Attachment, Reference, Extension
or Narrative means the same wherever it stands.
"""

from __future__ import annotations

import re

from deid.schemas.kinds import Kind

RESOURCES = frozenset([
    "Patient", "Observation", "Condition", "MedicationRequest", "Encounter", "DocumentReference", "Procedure",
    "DiagnosticReport", "Immunization", "AllergyIntolerance", "MedicationAdministration", "MedicationStatement",
    "ServiceRequest", "ImagingStudy", "Specimen", "CarePlan", "Claim", "Coverage", "FamilyMemberHistory",
    "Practitioner", "PractitionerRole", "Organization", "Location", "RelatedPerson", "Device", "Composition",
    "QuestionnaireResponse", "Consent",
])  # fmt: skip
# Only a person of these is a patient; the others name staff, relatives and places.
REVIEWED = frozenset(
    {"DocumentReference", "Composition", "Practitioner", "PractitionerRole", "RelatedPerson", "Location", "Consent"}
)
PEOPLE = frozenset({"Patient", "Practitioner", "RelatedPerson", "Person"})
# Parents under which `display` is the name of a code and not of a person.
CODED = frozenset({"coding", "class", "tag", "security", "valueCoding", "code", "event", "modality"})
# Elements that say nothing without identifying: dropped as a whole.
WHOLE = frozenset(
    {"meta", "text", "contained", "extension", "modifierExtension", "identifier", "telecom", "photo", "contact"}
)
WITHIN: tuple[tuple[re.Pattern[str], Kind | None], ...] = (
    # The first that matches decides; patterns are matched against the whole path, `a` and `.` as they stand.
    (re.compile(r"(^|\.)(contained|extension|modifierExtension)(\.|$)"), Kind.DIRECT),
    (re.compile(r"^text\.status$|(^|\.)\w*[iI]dentifier\.(system|use|type\b.*)$"), None),
    (re.compile(r"(^|\.)\w*[iI]dentifier(\.|$)"), Kind.DIRECT),
    (re.compile(r"(^|\.)(photo|attachment|\w*Attachment|presentedForm|content)\.(contentType|language|size)$"), None),
    (re.compile(r"(^|\.)(attachment|\w*Attachment|presentedForm)\.title$"), Kind.TEXT),
    (re.compile(r"(^|\.)(photo|attachment|\w*Attachment|presentedForm)(\.|$)"), Kind.DIRECT),
    (re.compile(r"(^|\.)telecom(\.|$)|^contact(\.|$)"), Kind.DIRECT),
    (re.compile(r"(^|\.)address\.(city|district|state|postalCode|country)$"), Kind.PLACE),
    (re.compile(r"(^|\.)address\.(use|type)$"), None),
    (re.compile(r"(^|\.)address(\.|$)|^position(\.|$)"), Kind.DIRECT),
    (re.compile(r"^birthDate$|^multipleBirth"), Kind.BIRTH),
    (re.compile(r"(^|\.)(serialNumber|deviceIdentifier|udiCarrier|carrierHRF|lotNumber)(\.|$)"), Kind.DIRECT),
    (re.compile(r"^meta\.(source|versionId)$|^implicitRules$"), Kind.DIRECT),
    (re.compile(r"(^|\.)reference$"), Kind.KEY),
    (re.compile(r"^id$|(^|\.)uid$"), Kind.KEY),
    (re.compile(r"^text(\.|$)"), Kind.TEXT),
    (
        re.compile(
            r"(^|\.)(text|note|comment|description|valueString|valueMarkdown|patientInstruction|conclusion|title"
            r"|summary|instruction|div|answer)$"
        ),
        Kind.TEXT,
    ),
    (
        re.compile(
            r"(^|\.|[a-z])([dD]ate|[dD]ateTime|[iI]nstant|[tT]ime|issued|authoredOn|authored|start|end|lastUpdated"
            r"|sent|received|created|started)$"
        ),
        Kind.DATE,
    ),
)


def kind_of(resource: str, path: str) -> Kind | None:
    """Say what an element identifies by, None if by nothing; `path` is generic (see the module)."""
    if path == "id" and resource == "Patient":
        return Kind.PERSON
    first, _, last = path.rpartition(".")
    if resource in PEOPLE and re.match(r"name(\.|$)", path):
        return None if path == "name.use" else Kind.DIRECT
    if last == "display" and first.rpartition(".")[2] not in CODED:
        return Kind.DIRECT
    return next((kind for pattern, kind in WITHIN if pattern.search(path)), None)


def is_whole(resource: str, element: str) -> bool:
    """Whether an element at the top of a resource is best dropped with all that is in it."""
    return element in WHOLE or (resource in PEOPLE and element == "name")


def domain_of(path: str) -> str:
    """Name the domain of a reference's pseudonyms: what it points from, `encounter.reference` → `encounter`."""
    parts = [part for part in path.split(".") if part != "reference"]
    return parts[-1].lower() if parts else "id"
