"""The grammar of protobuf's text format, with the place of everything; what a field means is not known here.

Source: https://protobuf.dev/reference/protobuf/textformat-spec/
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["string", "number", "name"]

_STRING: Final = r""""(?:[^"\\\n\0]|\\[^\n\0])*"|'(?:[^'\\\n\0]|\\[^\n\0])*'"""
STRING: Final = re.compile(_STRING)
"""One text in quotes."""
_TOKEN: Final = re.compile(
    rf"""(?P<blank>[ \t\r\n\f\v]+|\#[^\n\0]*)
      | (?P<string>{_STRING})
      | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?)(?![A-Za-z0-9_]))
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign>[][{{}}<>:;,/.-])""",
    re.VERBOSE,
)
_CLOSERS: Final = {"{": "}", "<": ">"}
_DEEPEST: Final = 50
"""Blocks within blocks; Triton's own schema goes no deeper than eight."""


_BYTES: Final = 0xDC00
"""What a byte that is no UTF-8 is added to, as a lone surrogate: see surrogateescape in Python's codecs."""


class PbtxtError(Exception):
    """The text is not protobuf's text format at a place."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value, as it is written; strings that follow each other are one value, blanks between them left out."""

    text: str
    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """`{ ... }`, or the whole text."""

    fields: "tuple[Field, ...]"
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Field:
    """A name and what follows it: one value, or the values of a list."""

    name: str
    values: tuple[Scalar | Block, ...]
    start: int
    end: int
    has_colon: bool = True
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """From a `#` to the end of its line."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def parse(text: str) -> Block:
    """Return the tree of `text`.

    Raises:
        PbtxtError: it is not protobuf's text format; the first place where it is not.
    """
    tokens = _Tokens(text)
    fields = _fields(tokens, closer="", depth=0)
    return Block(fields, 0, len(text))


def comments(text: str) -> tuple[Comment, ...]:
    """Return the comments in `text`, in order; a `#` in a string starts none."""
    found = (match for match in _TOKEN.finditer(text) if match.group().startswith("#"))
    return tuple(Comment(match.group(), match.start()) for match in found)


class _Tokens:
    """The tokens of a text, one at a time."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self.last_end = 0
        self.next = self._read()

    def take(self) -> _Token:
        token = self.next
        self.last_end = token.end
        self.next = self._read()
        return token

    def skip(self, *signs: str) -> bool:
        """Take the next token if it is one of `signs`."""
        if self.next.kind == "sign" and self.next.text in signs:
            self.take()
            return True
        return False

    def _read(self) -> _Token:
        while self._position < len(self._text):
            found = _TOKEN.match(self._text, self._position)
            if found is None:
                raise PbtxtError(_unreadable(self._text, self._position), self._position)
            self._position = found.end()
            if found.lastgroup != "blank":
                return _Token(found.lastgroup or "", found.group(), found.start(), found.end())
        return _Token("end", "the end of the file", len(self._text), len(self._text))


def _unreadable(text: str, position: int) -> str:
    found = text[position]
    if found in "\"'":
        return "a string does not end on its line"
    if found == "\ufeff":
        return "a byte order mark, which Triton cannot read: save the file as UTF-8 without one"
    code = ord(found)
    return f"unexpected byte 0x{code - _BYTES:02x}" if code >= _BYTES else f"unexpected character {found!r}"


def _fields(tokens: _Tokens, *, closer: str, depth: int) -> tuple[Field, ...]:
    if depth > _DEEPEST:
        raise PbtxtError(f"blocks are nested more than {_DEEPEST} deep", tokens.next.start)
    found = []
    while not _ends(tokens, closer):
        found.append(_field(tokens, depth))
        tokens.skip(";", ",")
    return tuple(found)


def _ends(tokens: _Tokens, closer: str) -> bool:
    if tokens.next.kind == "end":
        if closer:
            raise PbtxtError(f"the file ends before the `{closer}` of a block", tokens.next.start)
        return True
    return bool(closer) and tokens.next.text == closer and tokens.next.kind == "sign"


def _field(tokens: _Tokens, depth: int) -> Field:
    name = tokens.take()
    if name.kind != "name":
        raise PbtxtError(f"expected the name of a field, found {_shown(name)}", name.start)
    has_colon = tokens.skip(":")
    is_list = tokens.next.kind == "sign" and tokens.next.text == "["
    values = _values(tokens, depth, has_colon=has_colon)
    return Field(name.text, values, name.start, tokens.last_end, has_colon=has_colon, is_list=is_list)


def _values(tokens: _Tokens, depth: int, *, has_colon: bool) -> tuple[Scalar | Block, ...]:
    if tokens.next.text != "[" or tokens.next.kind != "sign":
        return (_value(tokens, depth, has_colon=has_colon),)
    tokens.take()
    found: list[Scalar | Block] = []
    while not tokens.skip("]"):
        if found and not tokens.skip(","):
            raise PbtxtError(f"expected `,` or `]` in a list, found {_shown(tokens.next)}", tokens.next.start)
        found.append(_value(tokens, depth, has_colon=has_colon))
    return tuple(found)


def _value(tokens: _Tokens, depth: int, *, has_colon: bool) -> Scalar | Block:
    token = tokens.next
    if token.kind == "sign" and token.text in _CLOSERS:
        return _block(tokens, depth)
    if not has_colon:
        raise PbtxtError(f"expected `:` or `{{`, found {_shown(token)}", token.start)
    if token.kind == "string":
        return _string(tokens)
    tokens.take()
    if token.kind == "sign" and token.text == "-":
        number = tokens.take()
        if number.kind not in ("number", "name"):
            raise PbtxtError(f"expected a number after `-`, found {_shown(number)}", number.start)
        return Scalar(f"-{number.text}", "number", token.start, number.end)
    if token.kind in ("number", "name"):
        return Scalar(token.text, "number" if token.kind == "number" else "name", token.start, token.end)
    raise PbtxtError(f"expected a value, found {_shown(token)}", token.start)


def _block(tokens: _Tokens, depth: int) -> Block:
    opener = tokens.take()
    fields = _fields(tokens, closer=_CLOSERS[opener.text], depth=depth + 1)
    closer = tokens.take()
    return Block(fields, opener.start, closer.end)


def _string(tokens: _Tokens) -> Scalar:
    parts = [tokens.take()]
    while tokens.next.kind == "string":
        parts.append(tokens.take())
    return Scalar("".join(part.text for part in parts), "string", parts[0].start, parts[-1].end)


def _shown(token: _Token) -> str:
    return token.text if token.kind == "end" else f"`{token.text}`"
