//! How fast is each part? Criterion benchmarks over the crates' public parts, and the data that they share.
//!
//! | file | what it measures |
//! |---|---|
//! | `benches/kernels.rs` | distance kernels, each instruction set that the machine has |
//! | `benches/flat.rs` | exact scan: bytes a second against a plain read of the same bytes |
//! | `benches/hnsw.rs` | graph walk and graph build, with recall |
//! | `benches/wal.rs` | log append and sync |
//! | `benches/codec.rs` | payloads, points files, id lookup |
//! | `benches/reads.rs` | the embedded API: points by id, scroll, counts, searches in a batch, opening |
//! | `examples/filtered.rs` | filtered searches: recall beside speed for every filter and beam |
//! | `examples/extend.rs` | graphs that are extended instead of built anew |
//! | `examples/search_while_writing.rs` | how long searches take while rows come in |
//!
//! Whole-engine figures, with recall beside speed, come from `vdb bench`. Depends on anything; nothing depends on it.

#![forbid(unsafe_code)]

/// Vectors around random centres, the same in every run: `rows x dim` numbers, row-major.
pub fn clustered(rows: usize, dim: usize, clusters: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut unit = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let centres: Vec<f32> = (0..clusters * dim).map(|_| unit()).collect();
    let mut out = Vec::with_capacity(rows * dim);
    for row in 0..rows {
        let centre = &centres[row % clusters * dim..][..dim];
        out.extend(centre.iter().map(|c| c + 0.4 * unit()));
    }
    out
}
