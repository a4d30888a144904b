"""Log lines that people can read and programs can parse: `time=... level=... logger=... message="..."` (logfmt)."""

import logging
import re
from datetime import UTC, datetime

from services.support.rfc3339 import rfc3339

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Logfmt(logging.Formatter):
    """One line per record; a traceback follows below its line."""

    def format(self, record: logging.LogRecord) -> str:
        time = rfc3339(datetime.fromtimestamp(record.created, UTC))
        message = record.getMessage().replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        # Text from outside must not start a log line of its own or control the terminal that shows it.
        message = _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", message)
        line = f'time={time} level={record.levelname.lower()} logger={record.name} message="{message}"'
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def log_to_stderr(level: int = logging.INFO) -> None:
    """Logs everything to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(Logfmt())
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL that it requests, twice a second
