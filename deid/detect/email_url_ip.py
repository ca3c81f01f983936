"""E-mail addresses, web addresses and IP addresses.

Source: RFC 5321 §2.3.11 and RFC 5322 §3.4.1 (the common subset), RFC 3986, RFC 791 (dotted quad), RFC 4291. Four-part
version numbers and DICOM UIDs look like dotted quads: a quad is refused beside a version word or inside a longer
chain, and unlabelled quads need one part that versions rarely have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.found import Found
from deid.detect.recogniser import KoreanRecogniser, Rule

_AT = r"(?:[ ]{0,2}@[ ]{0,2}|[ ]?[(\[](?:at|앳|골뱅이)[)\]][ ]?|[ ]골뱅이[ ])"
_DOMAIN = r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}"
_EMAIL = Rule(
    "EMAIL",
    re.compile(rf"[A-Za-z0-9][A-Za-z0-9._%+-]{{0,63}}{_AT}{_DOMAIN}", re.IGNORECASE),
    0.95,
    needs=("@", "골뱅이", "앳", "at)", "at]", "AT)", "AT]", "At)", "At]"),
)
_ENDING = r"(?:com|net|org|edu|kr|jp|cn|io|me)"
_WHOLE = re.compile(rf"[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}}){{0,4}}\.{_ENDING}", re.IGNORECASE)


def _is_one_domain(address: str) -> bool:
    """Whether a line break stands inside a domain: the parts are one together, and the first is none."""
    first, _, rest = address.rpartition("@")[2].partition("\n")
    first, rest = first.strip(" "), rest.strip(" ")
    return _WHOLE.fullmatch(first + rest) is not None and _WHOLE.fullmatch(first) is None


_BROKEN = Rule(
    "EMAIL",
    re.compile(
        r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}[ ]{0,2}@[ ]{0,2}[A-Za-z0-9.-]{0,63}[ ]?\n[ ]{0,2}[A-Za-z0-9.-]{1,63}"
    ),
    0.96,
    _is_one_domain,
    needs=("@",),
)
_URL = Rule(
    "URL", re.compile(r"(?:https?|ftp|hxxps?)://[^\s<>\"'가-힣)\]}]{3,500}", re.IGNORECASE), 0.95, needs=("://",)
)
_WWW = Rule(
    "URL",
    re.compile(r"(?<![\w.@-])www\.[A-Za-z0-9-]{1,63}\.[^\s<>\"'가-힣)\]}]{2,300}", re.IGNORECASE),
    0.9,
    needs=("www.", "WWW.", "Www."),
)
_HOST = Rule(
    "URL",
    re.compile(
        r"(?<![\w.@-])[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}\.(?:co\.kr|or\.kr|go\.kr|ac\.kr|re\.kr|"
        r"com|net|org|kr|io|me)"
        r"(?![A-Za-z0-9.-])(?:/[^\s<>\"'가-힣)\]}]{0,300})?",
        re.IGNORECASE,
    ),
    0.8,
    needs=(".kr", ".com", ".net", ".org", ".io", ".me", ".KR", ".COM", ".NET", ".ORG", ".IO", ".ME"),
)
_QUAD = re.compile(
    r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?!\d)(?!\.\d)"
)
_VERSION = re.compile(
    r"(?:ver(?:sion)?|버전|판|release|rev|build|v|firmware|펌웨어|software|s/w|sw|UID|모듈|module)[ .:=#]{0,3}$",
    re.IGNORECASE,
)
_IP_LABEL = re.compile(r"(?:(?<![A-Za-z])ip|아이피|접속|주소|address|host|서버|server)[^\n]{0,10}$", re.IGNORECASE)
_V6 = Rule(
    "IP",
    re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){3,7}:?[0-9A-Fa-f]{1,4}(?![\w:])"),
    0.8,
    lambda v: any(c in "abcdefABCDEF" for c in v),
)
_MAC = Rule("IP", re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:\n?[:-]\n?[0-9A-Fa-f]{2}){5}(?![\w:-])"), 0.8)
_LARGE_PART = 64
_PRIVATE = 10


class EmailUrlIpRecogniser(KoreanRecogniser):
    """E-mail, URL and IP; network card addresses are reported as IP."""

    ENTITIES = ("EMAIL", "URL", "IP")

    def find(self, text: str) -> Iterator[Found]:
        """Addresses by their grammar; dotted quads by what stands beside them."""
        if "." not in text and ":" not in text and "@" not in text:
            return
        for rule in (_EMAIL, _BROKEN, _URL, _WWW, _HOST, _V6, _MAC):
            yield from rule.find(text)
        for match in _QUAD.finditer(text):
            before = text[max(0, match.start() - 14) : match.start()]
            if not _VERSION.search(before) and (_IP_LABEL.search(before) or _plausible(match.group())):
                yield Found(*match.span(), "IP", 0.9)


def _plausible(quad: str) -> bool:
    parts = [int(part) for part in quad.split(".")]
    return parts[0] != 0 and (max(parts) >= _LARGE_PART or parts[0] == _PRIVATE)
