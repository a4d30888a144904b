"""Time from process start to the first page, against NiceGUI's hello-world in the same run; and memory after the first call."""

import json
import urllib.request
from statistics import median

from benchmarks.processes import running
from tests.process import MAIN

RUNS = 5


def main() -> None:
    hello, earshot, memory = [], [], []
    for _ in range(RUNS):
        with running("-m", "benchmarks.peers.hello") as server:
            hello.append(server.started)
        with running(MAIN) as server:
            earshot.append(server.started)
            request = urllib.request.Request(
                server.url + "/api/vapi_call", json.dumps({"to": "+14155552671"}).encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request) as answer:
                assert answer.status == 201
            memory.append(server.rss_megabytes())
    ratio = median(ours / theirs for ours, theirs in zip(earshot, hello, strict=True))
    print(f"Process start to first page, median of {RUNS}")
    print(f"  hello-world {median(hello):.2f} s   earshot {median(earshot):.2f} s   ratio {ratio:.2f} x (aim: at most 1.5)")
    print(f"RSS after the first call, demo line included: {median(memory):.0f} MB (aim: at most 130)")


if __name__ == "__main__":
    main()
