"""Find out in which encoding a text is written, over every byte of it."""

from __future__ import annotations

from contextlib import suppress

from sy_coverage.errors import UnreadableFileError

_BLANK = "\ufeff"
_WIDE_SHARE = 0.25
"""Latin text in UTF-16 is half zeros; with fewer, text that is whole without them is damaged and not UTF-16."""


def decode(content: bytes, file: str, *, encoding: str | None = None) -> tuple[str, str]:
    """Return the text of a whole file and the name of its encoding.

    UTF-8 (with or without BOM), UTF-16 and GB18030 are found out over every byte; anything else must be declared.

    Raises
    ------
    UnreadableFileError
        Naming the first byte that fits none of them.
    """
    text, name = (_declared(content, file, encoding), encoding) if encoding else _found_out(content, file)
    if "\0" in text:
        raise UnreadableFileError(
            f"{file}: character {text.index(chr(0))} is NUL, which no text holds; the file is damaged, or no {name}: save it again"
        )
    return text, name


def _found_out(content: bytes, file: str) -> tuple[str, str]:
    name = _wide_encoding(content) or "utf-8"
    try:
        text = content.decode(name)
    except UnicodeDecodeError as error:
        fault = error
    else:
        marked = text.startswith(_BLANK) and name == "utf-8"
        return text.removeprefix(_BLANK), "utf-8-sig" if marked else name
    # a file cut inside its last character is damaged UTF-8, not GB18030 that happens to decode
    cut = fault.reason == "unexpected end of data" or fault.start >= len(content) - 3
    if name == "utf-8" and not (cut and _has_wide_utf8(content[: fault.start])):
        with suppress(UnicodeDecodeError):
            text = content.decode("gb18030")
            if _is_plain_chinese(content):
                return text, "gb18030"
    raise UnreadableFileError(
        f"{file}: byte {fault.start} is no {name} ({fault.reason}) and the file is no GB18030 or UTF-16 "
        "either; save it as UTF-8, or declare its encoding"
    )


def _declared(content: bytes, file: str, encoding: str) -> str:
    try:
        return content.decode(encoding).removeprefix(_BLANK)
    except LookupError:
        raise UnreadableFileError(f"{file}: encoding '{encoding}' is unknown; try utf-8 or gb18030") from None
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"{file}: byte {error.start} is not {encoding} ({error.reason}); declare another encoding"
        ) from None


def _wide_encoding(content: bytes) -> str | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = content[:4096]
    if b"\0" not in head or (
        head.count(0) < _WIDE_SHARE * len(head) and _is_narrow(content.replace(b"\0", b""))
    ):
        return None
    return "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"


def _is_narrow(content: bytes) -> bool:
    """Return whether bytes without their zeros are plain UTF-8 or GB18030: then the zeros are damage."""
    for name in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            content.decode(name)
            return name == "utf-8" or _is_plain_chinese(content)
    return False


def _has_wide_utf8(prefix: bytes) -> bool:
    return any(byte > 0x7F for byte in prefix)


def _is_plain_chinese(content: bytes) -> bool:
    """Tell real GB18030 from Latin-1 or broken UTF-8 that decodes by chance: nearly all is in GB 2312."""
    wide = plain = position = 0
    while position < len(content):
        if content[position] < 0x80:
            position += 1
            continue
        second = content[position + 1]
        wide += 1
        if second >= 0xA1 and 0xA1 <= content[position] <= 0xF7:
            plain += 1
        position += 4 if 0x30 <= second <= 0x39 else 2
    return plain >= 0.8 * wide
