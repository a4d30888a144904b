"""The options of `python main.py`."""

import argparse
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from services.support.environment import Variable, plain_table


class CommandLine(argparse.ArgumentParser):
    """Parses the options. `--help` also prints the table of settings and exits with 0; a wrong option exits with 2 and a sentence."""

    def __init__(self, settings: Iterable[Variable]) -> None:
        super().__init__(
            prog="python main.py",
            description="Calls phone numbers through Vapi. Hear and steer the calls in the browser or over REST.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._settings = settings
        self.add_argument(
            "--backup", metavar="FILE", type=Path, help="copy the SQLite journal into a new file, also while Earshot runs, and exit"
        )

        self.add_argument(
            "--doctor",
            action="store_true",
            help="check the Vapi account, place one call if you confirm it, and write a report of what Vapi sent, then exit",
        )

    def format_help(self) -> str:
        table = plain_table(self._settings, shutil.get_terminal_size().columns)
        return f"{super().format_help()}\nSettings, from the environment or from the file .env (the environment wins):\n\n{table}\n"

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"Earshot can't start: {message}. `{self.prog} --help` lists the options and settings.\n")
