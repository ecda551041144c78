"""The process behind SecondReader: surveys the lines that it is sent and sends back what it found.

In and out: pickled values over a pipe that only the process which started this one has. It ends when that does.
"""

from __future__ import annotations

import sys
import time
from multiprocessing.connection import Connection

from lib.dataset.jsonl import lines_at
from lib.dataset.survey.one_pass import Part, part_of, scanner
from lib.errors import DataError
from lib.tokens.batch import batch_counter


def main() -> None:
    """Get ready, then answer until nobody asks any more."""
    talk = Connection(int(sys.argv[1]))
    counter = batch_counter(sys.argv[2]) if sys.argv[2] else None
    scanner()
    while True:
        try:
            place, bounds, method = talk.recv()
            try:
                part: Part | None = part_of(lines_at(place, bounds), method, counter)
            except DataError:
                part = None
            # A part with too many fields does not know which of them are the first in the whole file.
            talk.send((None if part is None or part.answers.overflowed else part, time.process_time()))
        except (EOFError, OSError):
            return


if __name__ == "__main__":
    main()
