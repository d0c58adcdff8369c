# Recipes; CI runs `just ci`, which is `.ci/run`. `just --list` shows them.

# Every check that guards the main branch.
ci:
    .ci/run

# The tests.
test:
    .ci/run test

# Formatting, structure, lints, documentation: the quick checks.
check:
    .ci/run fmt structure clippy doc

# Dependencies: bans, licences, sources.
deny:
    .ci/run deny

# Known weaknesses of dependencies; fetches the advisory database.
advisories:
    cargo deny check advisories

# Each benchmark once.
bench-smoke:
    .ci/run bench

# Benchmarks, or those whose name contains NAME.
bench NAME="":
    cargo bench -p vdb-benches -- {{NAME}}

# Fuzz TARGET (or all) for SECONDS; see fuzz/README.md.
fuzz TARGET="all" SECONDS="60":
    .ci/fuzz {{TARGET}} {{SECONDS}}

# Load the demo set and search it.
demo:
    cargo run --release --bin vdb -- demo
