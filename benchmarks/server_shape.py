"""CPU of an API request under `ui.run`, and under our own uvicorn with the API beside NiceGUI: why main.py starts uvicorn itself."""

from statistics import median

from benchmarks.load import measure
from benchmarks.processes import running

REQUESTS = 3000
RUNS = 5


def main() -> None:
    with running("-m", "benchmarks.peers.ui_run") as inside, running("-m", "benchmarks.peers.front_door") as beside:
        servers = {"ui.run": inside, "front door": beside}
        found: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(RUNS):
            for name, server in servers.items():
                before = server.cpu_seconds()
                measure(server.url + "/api/echo", connections=8, requests=REQUESTS)
                found[name].append(1000 * (server.cpu_seconds() - before) / REQUESTS)
    print(f"CPU a POST request, {REQUESTS} requests, median of {RUNS}")
    for name, milliseconds in found.items():
        print(f"  {name:10} {median(milliseconds):.2f} ms")
    print(f"  ratio      {median(a / b for a, b in zip(found['front door'], found['ui.run'], strict=True)):.2f} x")


if __name__ == "__main__":
    main()
