"""Turns texts into the input of this network: the code points of the first LENGTH characters, 0 behind them.

    python3 THIS_FILE "a text" "another text"

Needs nothing but Python's own library.
"""

import json
import sys

LENGTH = 0


def tokens(text):
    """The input of one text: LENGTH whole numbers."""
    codes = [ord(character) for character in text[:LENGTH]]
    return codes + [0] * (LENGTH - len(codes))


def batch(texts):
    """The input of several texts: a list of lists of LENGTH whole numbers."""
    return [tokens(text) for text in texts]


if __name__ == "__main__":
    print(json.dumps(batch(sys.argv[1:])))
