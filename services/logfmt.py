"""Log lines that people can read and programs can take apart: `time=... level=... logger=... message="..."` (logfmt)."""

import logging
from datetime import UTC, datetime


class Logfmt(logging.Formatter):
    """One line a record; a traceback follows below its line."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = record.getMessage().replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        line = f'time={time} level={record.levelname.lower()} logger={record.name} message="{message}"'
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def log_to_stderr(level: int = logging.INFO) -> None:
    """Has everything that is logged written there."""
    handler = logging.StreamHandler()
    handler.setFormatter(Logfmt())
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL that is read, twice a second
