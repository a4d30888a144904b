"""`make bench`: every benchmark but the player's and the chaos, which take long. Write figures into benchmarks/README.md, with the date."""

from benchmarks import (
    call_log,
    crossing,
    first_paint,
    hostile_clients,
    insights,
    loop_gaps,
    many_calls,
    many_pages,
    memory,
    place_calls,
    relay,
    relay_recording,
    server_shape,
    sound_under_load,
    start_up,
)

for benchmark in (
    *(start_up, first_paint, place_calls, server_shape, relay, relay_recording),
    *(sound_under_load, loop_gaps, call_log, insights, crossing, many_calls, many_pages, memory, hostile_clients),
):
    benchmark.main()
    print()
