"""From what a column's name and values say to a role, a ladder of treatments and the reason, in both languages.

Content beats the name where it is sure (a cell that is a telephone number is one, whatever it is called); the name
beats content where content cannot know (a number of a patient looks like any number). What neither settles is doubtful:
the wizard asks, and without a person the stricter treatment is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deid.detect.operators.placeholder import PLACEHOLDERS
from deid.planning import options
from deid.planning.profile import Facts
from deid.planning.role import Option, Proposal, Role, Words
from deid.planning.vocabulary import Meaning, meaning_of, normalise

# Shares of sampled values from which a column is said to consist of identifiers, or to be written text.
MOST, SOME = 0.5, 0.02
CODED = 0.9
NAMES_NEED = 0.8  # common words look like names: a column of names is nearly all names
LONG_TEXT, WORDY = 25, 4
FEW_FOR_QUASI = 20


@dataclass(frozen=True)
class Setting:
    """What a column is seen in: the table's patient column, its pseudonyms' domain, and the day ages are counted at.

    `shared` are names of columns that other tables have too; `sampled` says that not all rows were seen.
    """

    subject: str
    domain: str
    reference: str
    shared: frozenset[str] = frozenset()
    sampled: bool = False


@dataclass(frozen=True)
class _Draft:
    role: Role
    options: tuple[Option, ...]
    reason: Words
    doubtful: bool = False
    name: str = ""


Maker = Callable[[Facts, Setting], _Draft]


def propose(facts: Facts, setting: Setting) -> Proposal:
    """Propose for one column; never fails, whatever the values are."""
    meaning = meaning_of(facts.name)
    draft = _draft(facts, meaning, setting)
    label = (facts.name, facts.name) if meaning is None else _label(facts.name, meaning)
    return Proposal(
        source=facts.name,
        name=draft.name or _published(facts.name, meaning.name if meaning else ""),
        label=label,
        role=draft.role,
        options=draft.options,
        reason=draft.reason,
        doubtful=draft.doubtful,
    )


def _label(name: str, meaning: Meaning) -> Words:
    korean = any("가" <= letter <= "힣" for letter in name)
    return (name if korean else meaning.label[0], meaning.label[1] if korean else name)


def _published(source: str, meant: str) -> str:
    plain = normalise(source)
    usable = plain.isascii() and plain[:1].isalpha()
    return (plain if usable else meant or "column")[:60]


def _draft(facts: Facts, meaning: Meaning | None, setting: Setting) -> _Draft:
    if facts.name == setting.subject:
        why = ("환자를 가리키는 열이라 표와 표를 잇습니다.", "It names the patient and joins the tables.")
        return _Draft(Role.KEY, (options.pseudonym(setting.domain),), why, name="patient")
    if not facts.filled:
        why = ("값이 하나도 없어 판단할 수 없습니다.", "It has no value to judge by.")
        return _Draft(Role.OTHER, (options.DROP, options.KEEP_TEXT), why, doubtful=True)
    found = _by_content(facts, meaning)
    if found:
        return found
    if meaning is None or (facts.kind == "date" and meaning.key != "birth"):
        return _by_shape(facts, setting)
    return MAKERS[meaning.key](facts, setting)


def _by_content(facts: Facts, meaning: Meaning | None) -> _Draft | None:
    """Whole cells that are identifiers. That a record's number looks like a patient's says nothing: its name does."""
    numbers = meaning is not None and meaning.key == "record"
    for kind, share in sorted(facts.whole.items(), key=lambda item: -item[1]):
        if numbers and kind == "MRN":
            continue
        needed = NAMES_NEED if kind in {"NAME", "ADDRESS"} else MOST
        if share >= needed and not (kind == "NAME" and facts.few):
            word = PLACEHOLDERS[kind]
            why = (f"표본 값의 {share:.0%}가 {word}입니다.", f"{share:.0%} of the sampled values are {kind}.")
            return _Draft(Role.DIRECT, (options.DROP,), why)
    return None


def _direct(word: Words, *, doubtful: bool = False) -> Maker:
    def make(_: Facts, __: Setting) -> _Draft:
        why = (
            f"이름으로 보아 {word[0]}입니다. 사람을 바로 가리킵니다.",
            f"By its name it is {word[1]}: it names a person.",
        )
        return _Draft(Role.DIRECT, (options.DROP,), why, doubtful)

    return make


def _key(facts: Facts, setting: Setting) -> _Draft:
    plain = normalise(facts.name)
    domain = plain if plain.isascii() and plain else "record"
    ladder = (options.pseudonym(domain), options.DROP)
    if facts.form:
        why = (
            "기록을 가리키는 번호입니다. 같은 형태의 다른 번호로 바꾸어 표와 표, 자릿수 검사는 그대로 맞습니다.",
            "It numbers records: another number of the same form, so that joins and checks of its form still hold.",
        )
        return _Draft(Role.KEY, (options.surrogate(facts.form, domain, sampled=setting.sampled), *ladder), why)
    why = (
        "기록을 가리키는 번호입니다. 이을 수는 있되 되짚을 수 없게 합니다.",
        "It numbers records: still joinable, not traceable.",
    )
    return _Draft(Role.KEY, ladder, why)


def _joined(facts: Facts, setting: Setting) -> _Draft:
    """Propose for a number that says nothing by its name but stands in other tables too: people join by it."""
    draft = _key(facts, setting)
    ko, en = draft.reason
    why = (
        f"다른 표에도 있어 표를 잇는 번호로 보입니다. {ko}",
        f"Other tables have it too: it seems to join them. {en}",
    )
    return _Draft(Role.KEY, draft.options, why)


def _other_patient_key(facts: Facts, setting: Setting) -> _Draft:
    draft = _key(facts, setting)
    why = (
        "환자 번호로 보이지만 이 표의 환자 열은 아닙니다.",
        "It looks like a patient's number but is not this table's key.",
    )
    return _Draft(Role.DIRECT, (options.DROP, draft.options[-2]), why, doubtful=True)


def _birth(facts: Facts, setting: Setting) -> _Draft:
    if facts.kind != "date":
        why = ("생년월일로 보이지만 날짜로 읽히지 않습니다.", "It seems a date of birth but does not read as dates.")
        return _Draft(Role.DIRECT, (options.DROP,), why, doubtful=True)
    why = (
        "생년월일은 다른 자료와 가장 잘 이어집니다. 나이 구간으로 바꾸고 고령은 묶습니다.",
        "A date of birth links best to other data: age bands, the very old as one.",
    )
    return _Draft(Role.QUASI, (*options.age_bands(facts, setting.reference), options.DROP), why, name="age_band")


def _numbered(widths: tuple[int, ...], word: Words, *, top: int | None = None) -> Maker:
    def make(facts: Facts, setting: Setting) -> _Draft:
        if facts.kind not in {"integer", "number"}:
            return _category(word)(facts, setting)
        why = (
            f"{word[0]}: 여럿이 함께 알면 사람을 좁힙니다. 구간으로 묶습니다.",
            f"{word[1]}: narrows people down; put into bands.",
        )
        return _Draft(Role.QUASI, (*options.bands(facts, widths, top=top), options.DROP), why)

    return make


def _category(word: Words) -> Maker:
    def make(facts: Facts, _: Setting) -> _Draft:
        if facts.distinct > FEW_FOR_QUASI and not facts.few:
            why = (
                f"{word[0]}: 값이 {facts.distinct:,}가지로 너무 자세합니다.",
                f"{word[1]}: {facts.distinct:,} values are too fine.",
            )
            return _Draft(Role.QUASI, (options.DROP,), why, doubtful=True)
        why = (
            f"{word[0]}: 다른 정보와 합치면 사람을 좁힙니다.",
            f"{word[1]}: together with others it narrows people down.",
        )
        return _Draft(Role.QUASI, (options.keep(facts), options.DROP), why)

    return make


def _coded(facts: Facts, name: str) -> bool:
    """Whether nearly all values are of a hierarchy that ships."""
    return facts.ladders.get(name, 0) >= CODED


def _region(facts: Facts, setting: Setting) -> _Draft:
    if not _coded(facts, "sigungu"):
        return _category(("지역", "region"))(facts, setting)
    why = (
        "사는 곳: 시군 수준까지만 남기고, 오늘의 행정구역 이름으로 맞춥니다.",
        "A place: kept to the level of a city or county, under today's names.",
    )
    return _Draft(Role.QUASI, (*options.hierarchy("sigungu", options.SIGUNGU), options.DROP), why)


def _postcode(facts: Facts, _: Setting) -> _Draft:
    why = ("우편번호: 시군구 수준까지만 남깁니다.", "Postcode: kept to the level of a district.")
    if _coded(facts, "postcode"):
        return _Draft(Role.QUASI, (*options.hierarchy("postcode", options.POSTCODE), options.DROP), why)
    return _Draft(Role.QUASI, (*options.prefixes((3, 2)), options.DROP), why)


def _date(facts: Facts, setting: Setting) -> _Draft:
    if facts.kind == "text":
        why = ("날짜로 보이지만 날짜로 읽히지 않습니다.", "It seems a date but does not read as dates.")
        return _Draft(Role.DATE, (options.DROP, options.FREE_TEXT), why, doubtful=True)
    if facts.kind != "date":
        return _by_shape(facts, setting)
    why = (
        "사건의 날짜: 간격은 지키고 달력의 날은 숨깁니다.",
        "A date of an event: intervals stay, the calendar day is hidden.",
    )
    return _Draft(Role.DATE, (options.date_shift(facts), options.year_only(facts), options.DROP), why)


def _sensitive(facts: Facts, setting: Setting) -> _Draft:
    if facts.inside or facts.length > LONG_TEXT or facts.words > WORDY:
        return _text(facts, setting)
    coded = facts.kcd >= MOST
    if _coded(facts, "kcd8"):
        why = (
            "진단 코드(KCD-8): 세 자리 분류로 묶고 드문 진단은 하나로 합칩니다. 드문 병은 사람을 드러냅니다.",
            "Diagnosis codes (KCD-8): by category, rare ones as one: a rare disease gives people away.",
        )
        ladder = options.hierarchy("kcd8", options.KCD8, rare=True)
        return _Draft(Role.SENSITIVE, (*ladder, options.DROP), why)
    why = (
        "알려지면 해가 큰 항목입니다. 연구에 필요하면 두되 희귀한 값이 있는지 봅니다.",
        "Harmful when known: kept if research needs it; look for rare values.",
    )
    fine = (*options.prefixes((3,)),) if coded else ()
    return _Draft(Role.SENSITIVE, (*fine, options.keep(facts), options.DROP), why)


def _text(facts: Facts, _: Setting) -> _Draft:
    kinds = ", ".join(PLACEHOLDERS[kind] for kind in sorted(facts.inside)) or "없음"
    english = ", ".join(sorted(facts.inside)) or "none"
    why = (
        f"사람이 쓴 글(평균 {facts.length:.0f}자). 표본에서 찾은 식별자: {kinds}.",
        f"Written text ({facts.length:.0f} characters on average). Found in the sample: {english}.",
    )
    return _Draft(Role.TEXT, (options.FREE_TEXT, options.DROP), why)


def _income(facts: Facts, setting: Setting) -> _Draft:
    if facts.kind not in {"integer", "number"} or facts.few:
        return _category(("소득·보험 구분", "income or insurance"))(facts, setting)
    why = ("금액의 끝값은 사람을 드러냅니다.", "The extremes of an amount give people away.")
    return _Draft(Role.SENSITIVE, (options.top_code(facts, _round_down(facts.high)), options.DROP), why, doubtful=True)


def _by_shape(facts: Facts, setting: Setting) -> _Draft:
    """Say what a column is whose name says nothing."""
    if facts.kind == "date":
        return _date(facts, setting)
    return _number(facts, setting) if facts.kind in {"integer", "number"} else _words(facts, setting)


def _number(facts: Facts, setting: Setting) -> _Draft:
    if facts.kind == "integer" and facts.form and not facts.few and facts.name in setting.shared:
        return _joined(facts, setting)
    if facts.kind == "integer" and facts.unique and facts.length >= len("123456"):
        why = ("값이 모두 다른 긴 수라 번호일 수 있습니다.", "All different and long: it may be a number of somebody.")
        return _Draft(Role.DIRECT, (options.DROP, options.keep(facts)), why, doubtful=True)
    why = ("측정값이나 수로 보입니다.", "It looks like a measurement or a count.")
    return _Draft(Role.OTHER, (options.keep(facts), options.DROP), why)


def _words(facts: Facts, setting: Setting) -> _Draft:
    if any(share >= SOME for share in facts.inside.values()) or facts.length > LONG_TEXT or facts.words > WORDY:
        return _text(facts, setting)
    if _coded(facts, "atc") and not _coded(facts, "kcd8"):
        why = (
            "약물 코드(ATC): 약리 군으로 묶고 드문 약은 하나로 합칩니다.",
            "Drug codes (ATC): by pharmacological group, rare ones as one.",
        )
        ladder = options.hierarchy("atc", options.ATC, rare=True)
        return _Draft(Role.SENSITIVE, (*ladder, options.DROP), why)
    if facts.kcd >= MOST:
        return _sensitive(facts, setting)
    if facts.few:
        why = (f"값이 {facts.distinct:,}가지인 분류입니다.", f"Categories: {facts.distinct:,} values.")
        return _Draft(Role.OTHER, (options.KEEP_TEXT, options.DROP), why)
    if facts.form and facts.name in setting.shared:
        return _joined(facts, setting)
    why = (
        f"이름으로는 알 수 없고 값이 {facts.distinct:,}가지입니다. 누구를 가리킬 수 있어 빼 두었습니다.",
        f"The name says nothing and there are {facts.distinct:,} values: left out, it may name somebody.",
    )
    return _Draft(Role.DIRECT, (options.DROP, options.FREE_TEXT, options.KEEP_TEXT), why, doubtful=True)


def _round_down(value: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is not above `value`."""
    step = 10.0 ** (len(str(int(max(value, 1)))) - 1)
    return next(step * factor for factor in (5, 2, 1) if step * factor <= max(value, 1))


MAKERS: dict[str, Maker] = {
    **{
        key: _direct(word)
        for key, word in {
            "rrn": ("주민등록번호", "a resident number"),
            "name": ("이름", "a name"),
            "phone": ("전화번호", "a telephone number"),
            "email": ("전자우편", "an e-mail address"),
            "address": ("주소", "an address"),
            "insurance_no": ("보험증번호", "an insurance number"),
            "account": ("계좌번호", "an account"),
            "card": ("카드번호", "a card"),
            "passport": ("여권번호", "a passport"),
            "licence": ("면허번호", "a licence"),
            "plate": ("차량번호", "a number plate"),
            "device": ("기기나 접속 주소", "a device or address"),
            "photo": ("사진이나 파일 위치", "a picture or its path"),
            "staff": ("직원", "a member of staff"),
        }.items()
    },
    "patient": _other_patient_key,
    "record": _key,
    "birth": _birth,
    "birth_year": _numbered((5, 10, 20), ("태어난 해", "year of birth")),
    "birth_part": _direct(("태어난 달이나 날", "part of a date of birth")),
    "age": _numbered((5, 10, 20), ("나이", "age"), top=80),
    "height": _numbered((10, 20), ("키", "height")),
    "weight": _numbered((10, 20), ("몸무게", "weight")),
    "sex": _category(("성별", "sex")),
    "region": _region,
    "nationality": _category(("국적·인종", "nationality or race")),
    "job": _category(("직업", "occupation")),
    "education": _category(("학력", "education")),
    "marital": _category(("혼인 상태", "marital status")),
    "religion": _category(("종교", "religion")),
    "postcode": _postcode,
    "income": _income,
    "death": _date,
    "date": _date,
    "sensitive": _sensitive,
    "diagnosis": _sensitive,
    "note": _text,
}
