"""`make bench-playout`: measures the player and prints its table. Set RUNS, SECONDS, ROWS or BASELINES in the environment to shorten it."""

import asyncio
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.playout.analyse import Figures, analyse
from benchmarks.playout.lanes import lanes
from benchmarks.playout.live import Recording, record
from benchmarks.playout.speech import measure
from benchmarks.playout.traces import Trace, traces
from tests.node import node_path

RUNS = int(os.environ.get("RUNS", "5"))
SECONDS = int(os.environ.get("SECONDS", "60"))
KINDS = ["lan", "wifi", "tcp_hol", "lte", "bundle100", "stall2s", "drift_fast", "drift_slow"]
COST_KINDS = KINDS[:5]
BASELINES = ["chain", "ring"]
BUSY = (300, 1000)  # the page's main thread is blocked for the first of every second, in ms
SIMULATOR = Path(__file__).parent / "simulate.mjs"
NOT_MEASURED = "not measured"


async def main() -> None:
    """Runs the chosen rows, one page at a time, and prints each result as it comes."""
    print(f"{RUNS} runs of {SECONDS} s each; delays in ms above the best one-way delay, including the 20 ms of a frame\n")
    chosen = os.environ.get("ROWS", ",".join([*KINDS, "busy"])).split(",")
    all_traces = traces(SECONDS)
    ours: dict[str, list[Figures]] = {}
    rules: dict[str, list[float]] = {}
    for kind in [kind for kind in KINDS if kind in chosen]:
        for _ in range(RUNS):
            recording = await record("earshot", all_traces[kind])
            figures = analyse(recording)
            neteq = _neteq_cost(recording)
            ours.setdefault(kind, []).append(figures)
            rules.setdefault(kind, []).append(neteq)
            print(f"  earshot {kind:10} {_line(figures)}  NetEQ's rules J {neteq:.0f}", flush=True)
    if "busy" in chosen:
        for _ in range(RUNS):
            ours.setdefault("busy", []).append(analyse(await record("earshot", all_traces["lan"], busy=BUSY)))
            print(f"  earshot busy       {_line(ours['busy'][-1])}", flush=True)
    peers: dict[str, dict[str, Figures]] = {}
    for player in BASELINES if os.environ.get("BASELINES", "1") == "1" else []:
        for kind in chosen:
            busy = BUSY if kind == "busy" else None
            figures = analyse(await record(player, all_traces["lan" if kind == "busy" else kind], busy=busy))
            peers.setdefault(player, {})[kind] = figures
            print(f"  {player:7} {kind:10} {_line(figures)}", flush=True)
    print()
    print(_table(ours, rules, peers, await lanes()))


def _line(figures: Figures) -> str:
    recovery = "" if figures.recovery is None else f"  recovered in {figures.recovery:.1f} s"
    return (
        f"mean {figures.mean:6.1f}  end {figures.end:6.1f}  p99 {figures.p99:6.1f}  {figures.drops:3} dropouts {figures.dropped:6.0f} ms"
        f"  lost {figures.lost:5.0f} ms  {figures.splices:4} splices  J {figures.cost:5.0f}{recovery}"
    )


def _neteq_cost(recording: Recording) -> float:
    """The cost J of NetEQ's rules on the arrivals that this page saw."""
    trace = recording.trace
    count = len(recording.arrivals)
    seen = Trace(name=trace.name, clock=trace.clock, produced=trace.produced[:count], arrive=recording.arrivals.tolist())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        seen.save(path)
        ran = subprocess.run([node_path(), SIMULATOR, path], capture_output=True, text=True, check=True)
    return float(json.loads(ran.stdout)["neteqCost"])


def _table(ours: dict[str, list[Figures]], rules: dict[str, list[float]], peers: dict[str, dict[str, Figures]], drawing: float) -> str:
    rows = [("#", "what", "target", "Earshot", *BASELINES)]

    def middle(kind: str, name: str) -> float:
        return float(statistics.median(getattr(figures, name) for figures in ours[kind]))

    def both(kind: str, words: str) -> list[str]:
        """`words` for each baseline, filled with its figures."""
        return [words.format(f=peers[peer][kind]) if kind in peers.get(peer, {}) else NOT_MEASURED for peer in BASELINES]

    if "lan" in ours:
        words = "+{f.mean:.0f} ms, {f.drops}, {f.splices}"
        mine = f"+{middle('lan', 'mean'):.0f} ms, {middle('lan', 'drops'):.0f}, {middle('lan', 'splices'):.0f}"
        rows.append(("1", "lan: mean delay, dropouts, splices", "+40 ms, 0, 0", mine, *both("lan", words)))
    ratios = []
    for kind in [kind for kind in COST_KINDS if kind in ours]:
        ratio = statistics.median(figures.cost / neteq for figures, neteq in zip(ours[kind], rules[kind], strict=True))
        ratios.append(ratio)
        mine = f"{middle(kind, 'cost'):.0f} = {ratio:.2f} x {statistics.median(rules[kind]):.0f}"
        rows.append(("2", f"J on {kind}, to NetEQ's rules", "1.1", mine, *both(kind, "{f.cost:.0f}")))
    if ratios:
        rows.append(("2", f"geometric mean of {len(ratios)}", "0.92", f"{statistics.geometric_mean(ratios):.3f}", "", ""))
    if "stall2s" in ours:
        words = "{f.recovery:.1f} s, {f.lost:.0f} ms, {f.drops}"
        mine = f"{middle('stall2s', 'recovery'):.1f} s, {middle('stall2s', 'lost'):.0f} ms, {middle('stall2s', 'drops'):.0f}"
        rows.append(("3", "2 s stall: recovery, speech lost, gaps", "8 s, 0 ms, 1", mine, *both("stall2s", words)))
    for kind in [kind for kind in ("drift_fast", "drift_slow") if kind in ours]:
        moved = statistics.median(abs(figures.end - figures.start) for figures in ours[kind])
        mine = f"{moved:.0f} ms, {middle(kind, 'drops'):.0f}, {middle(kind, 'splices'):.0f}"
        theirs = [
            f"{abs(peers[peer][kind].end - peers[peer][kind].start):.0f} ms, {peers[peer][kind].drops}, {peers[peer][kind].splices}"
            if kind in peers.get(peer, {})
            else NOT_MEASURED
            for peer in BASELINES
        ]
        rows.append(("4", f"{kind}, 2000 ppm: delay moved by, dropouts, splices", "10 ms, 0, 0", mine, *theirs))
    found = measure()
    tones = f"{found['sinad']:.0f} dB, {found['droop']:.3f} dB, {found['separation']:.0f} dB"
    rows.append(("5", "SINAD, droop, separation", "80, 0.1, 90 dB", tones, "22 dB at 3 kHz", ""))
    if "busy" in ours and "lan" in ours:
        added = statistics.median(busy.p99 - lan.p99 for busy, lan in zip(ours["busy"], ours["lan"], strict=True))
        mine = f"{added:.0f} ms, {middle('busy', 'drops'):.0f}"
        theirs = [
            f"{peers[peer]['busy'].p99 - peers[peer]['lan'].p99:.0f} ms, {peers[peer]['busy'].drops}"
            if "lan" in peers.get(peer, {})
            else NOT_MEASURED
            for peer in BASELINES
        ]
        rows.append(("6", "page busy 0.3 s of each: added p99, dropouts", "20 ms, 0", mine, *theirs))
    pesq = "no pesq here" if found["pesq"] is None else f"{found['pesq']:.2f}"
    mine = f"{pesq}, {100 * found['pitch']:.3f} %, {found['edge']:.0f} dBFS"
    rows.append(("7", "catching up: PESQ-WB, pitch, largest step", "4.0, 0.1 %, -40 dBFS", mine, "", ""))
    first = f"{middle('lan', 'first_sound'):.0f} ms" if "lan" in ours else NOT_MEASURED
    mine = f"{100 * found['core']:.1f} %, {found['bytes']:.1f}, {first}"
    rows.append(("8", "core, bytes a quantum, first sound", "2 %, 0, 60 ms", mine, *both("lan", "{f.first_sound:.0f} ms")))
    rows.append(("8", "the two lanes: the page's main thread", "2 %", f"{100 * drawing:.1f} %", "", ""))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


if __name__ == "__main__":
    asyncio.run(main())
