"""`POST /api/vapi_call` with an idempotency key and a journal on disk, from 64 connections.

The baseline is the typed SDK in a bare route, with the same stand-in for Vapi, in the same run.
"""

from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.load import Load, measure
from benchmarks.processes import Running, running
from tests.process import MAIN, vapi_environ

CONNECTIONS = 64
REQUESTS = 2500
RUNS = 5
UNLIMITED = {
    "EARSHOT_ALLOWED_REGIONS": "*",
    "EARSHOT_CALLS_PER_HOUR": "999999999",
    "EARSHOT_CALLS_PER_DAY": "999999999",
    "EARSHOT_CONCURRENT_CALLS": "999999999",
}


def main() -> None:
    with running("-m", "benchmarks.peers.fast_vapi") as vapi:
        ids = vapi_environ(vapi.url)
        with (
            TemporaryDirectory() as data_dir,
            running(MAIN, ready="/health", environ=ids | UNLIMITED | {"EARSHOT_DATA_DIR": data_dir}) as earshot,
            running("-m", "benchmarks.peers.typed_sdk", ready="/health", environ=ids) as typed,
        ):
            servers = {"earshot": earshot, "typed SDK": typed}
            for server in servers.values():
                measure(server.url + "/api/vapi_call", connections=CONNECTIONS, requests=200)
            found: dict[str, list[tuple[Load, float]]] = {name: [] for name in servers}
            for _ in range(RUNS):
                for name, server in servers.items():
                    found[name].append(_run(server))
    print(f"POST /api/vapi_call, {CONNECTIONS} connections, {REQUESTS} requests, median of {RUNS}")
    for name, runs in found.items():
        print(
            f"  {name:10} {median(load.per_second for load, _ in runs):7.0f} /s   p50 {median(load.p50 for load, _ in runs):6.1f} ms"
            f"   p99 {median(load.p99 for load, _ in runs):6.1f} ms   CPU {median(cpu for _, cpu in runs):5.2f} ms a request"
        )
    ratios = [ours.per_second / theirs.per_second for (ours, _), (theirs, _) in zip(found["earshot"], found["typed SDK"], strict=True)]
    print(f"  ratio      {median(ratios):.2f} x (aim: at least 1.0)")


def _run(server: Running) -> tuple[Load, float]:
    before = server.cpu_seconds()
    load = measure(server.url + "/api/vapi_call", connections=CONNECTIONS, requests=REQUESTS)
    return load, 1000 * (server.cpu_seconds() - before) / REQUESTS


if __name__ == "__main__":
    main()
