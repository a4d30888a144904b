"""nginx and Caddy with the configurations of deploy/, on a port of this machine and without TLS."""

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.patience import HANG_S
from tests.ports import free_port
from tests.process import ROOT

_DEPLOY = ROOT / "deploy"
_NGINX = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {example}
}}
"""


@contextmanager
def nginx(folder: Path, backends: Sequence[int], *, example: str | None = None) -> Iterator[str]:
    """Its address, with requests spread over the processes at the ports `backends`. `example` replaces deploy/nginx.conf."""
    port = free_port()
    lines = (example or (_DEPLOY / "nginx.conf").read_text()).splitlines()
    text = "\n".join(line for line in lines if "ssl_certificate" not in line).replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    for written, real in zip((8081, 8082), backends, strict=True):
        text = text.replace(f"127.0.0.1:{written}", f"127.0.0.1:{real}")
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, example=text.replace("server_name desk.example;", "")))
    with _serving(port, folder, "nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")) as url:
        yield url


@contextmanager
def caddy(folder: Path, backends: Sequence[int]) -> Iterator[str]:
    """Its address, with requests spread over the processes at the ports `backends`."""
    port = free_port()
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + (_DEPLOY / "Caddyfile").read_text())
    environ = {
        "HOME": str(folder),
        "EARSHOT_HOST": f"http://localhost:{port}",
        "EARSHOT_PROCESSES": " ".join(f"127.0.0.1:{backend}" for backend in backends),
    }
    program = ("caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile")
    with _serving(port, folder, *program, environ=environ) as url:
        yield url


PROXIES = {"nginx": nginx, "caddy": caddy}


@contextmanager
def _serving(port: int, folder: Path, *command: str, environ: dict[str, str] | None = None) -> Iterator[str]:
    program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip(f"{command[0]} is not installed: `python -m tests.needs test` installs it or says how")
    log = folder / "proxy.log"
    with log.open("wb") as output:
        process = subprocess.Popen([program, *command[1:]], cwd=folder, env=os.environ | (environ or {}), stdout=output, stderr=output)
        try:
            _wait(f"http://localhost:{port}/", process, log)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(HANG_S)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + HANG_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(0.02)
