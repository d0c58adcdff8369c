//! How much a benchmark is measured on.

/// So many rows or bytes, or a sixteenth where benchmarks are only tried: `cargo test` runs each once, without the `--bench`
/// that `cargo bench` hands them. Criterion goes by the same.
pub fn sized(full: usize) -> usize {
    let given = |flag: &str| std::env::args().any(|argument| argument == flag);
    if given("--bench") && !given("--test") {
        full
    } else {
        full / 16
    }
}
