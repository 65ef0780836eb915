"""Turns texts into the input of this network: ids of hashed words and pairs of words, 0 is padding.

    python3 THIS_FILE "a text" "another text"

A word is letters, digits and combining marks that stand together; every other visible character is a word of
its own; letters are lower-cased one by one. A word, and two words with a space between them, is hashed with
FNV-1a (64 bits, over UTF-8), h xor (h >> 32), modulo BUCKETS, plus 1. Needs nothing but Python's own library.
"""

import json
import sys
import unicodedata

BUCKETS = 0
# Characters of a text that are looked at.
LENGTH = 0

OFFSET, PRIME, MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1
# Unicode's Default_Ignorable_Code_Point.
IGNORED = [(0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
           (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F),
           (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A),
           (0xE0000, 0xE0FFF)]
# Signs that Unicode counts as letters (Other_Alphabetic).
LETTERS = [(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)]


def within(code, ranges):
    return any(low <= code <= high for low, high in ranges)


def kind(character):
    """blank, ignored, word or symbol."""
    code = ord(character)
    if within(code, IGNORED):
        return "ignored"
    category = unicodedata.category(character)
    if character.isspace() or code == 0:
        return "blank"
    if (category[0] in "LM" or category == "Nl" or within(code, LETTERS)
            or unicodedata.numeric(character, None) is not None):
        return "word"
    return "blank" if category in ("Cc", "Cf", "Cs") else "symbol"


def words(text):
    word = ""
    for character in text[:LENGTH]:
        what = kind(character)
        if what == "word":
            lower = character.lower()
            word += lower if len(lower) == 1 else character
        elif what != "ignored":
            if word:
                yield word
            word = ""
            if what == "symbol":
                yield character
    if word:
        yield word


def bucket(gram):
    value = OFFSET
    for byte in gram.encode():
        value = (value ^ byte) * PRIME & MASK
    return (value ^ value >> 32) % BUCKETS + 1


def tokens(text):
    """The ids of one text, at least one number."""
    ids, last = [], None
    for word in words(text):
        ids.append(bucket(word))
        if last is not None:
            ids.append(bucket(f"{last} {word}"))
        last = word
    return ids or [0]


def batch(texts):
    """The input of several texts: lists of equal length."""
    lists = [tokens(text) for text in texts]
    most = max(map(len, lists), default=1)
    return [ids + [0] * (most - len(ids)) for ids in lists]


if __name__ == "__main__":
    print(json.dumps(batch(sys.argv[1:])))
