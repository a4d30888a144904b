"""All benchmarks but the player's: `make bench`. The figures belong into benchmarks/README.md, with their date."""

from benchmarks import first_paint, loop_gaps, place_calls, relay, server_shape, start_up

for benchmark in (start_up, first_paint, place_calls, server_shape, relay, loop_gaps):
    benchmark.main()
    print()
