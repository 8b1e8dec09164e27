"""Write Chinese names in Latin letters beside their characters, for readers of English."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from sy_coverage.outputs.text import format as fmt

if TYPE_CHECKING:
    from sy_coverage.labels import Language

_HAN = re.compile(r"[\u3400-\u9fff]+")
ENDINGS = ("自治县", "街道", "社区", "县", "市", "区", "镇", "乡", "村")
"""What ends the name of a place and is written as a word of its own, the longest first."""
ONE_WORD = 4
"""So many syllables are written together; longer names are parted."""


def beside(name: object, language: Language) -> str:
    """Return a name as outputs in `language` write it: in English ``Longhui Xian 隆回县``, in Chinese as it is."""
    text = fmt.plain(name)
    if language == "zh" or not _HAN.search(text):
        return text
    return f"{romanised(text)} {text}"


def latin(name: object) -> str:
    """Return a name in Latin letters; empty where it has no Chinese character."""
    text = fmt.plain(name)
    return romanised(text) if _HAN.search(text) else ""


@cache
def romanised(name: str) -> str:
    """Return a name with its Chinese characters spelled in pinyin; what is no Chinese stays."""
    said = _HAN.sub(lambda run: f" {_spelled(run.group())} ", name)
    return " ".join(said.split())


def _spelled(characters: str) -> str:
    from pypinyin import lazy_pinyin  # noqa: PLC0415  reads a dictionary, only for who writes English

    ending = next((e for e in ENDINGS if characters.endswith(e) and len(characters) > len(e)), "")
    stem = characters[: len(characters) - len(ending)]
    said = []
    for part in (stem, ending):
        syllables = lazy_pinyin(part)
        together = len(syllables) <= ONE_WORD
        words = ["".join(syllables)] if together else syllables
        said += [word[:1].upper() + word[1:] for word in words if word]
    return " ".join(said)
