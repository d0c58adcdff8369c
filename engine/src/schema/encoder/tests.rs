use super::*;
use crate::config::Distance;
use crate::config::vectors::MultiVectorComparator;

#[test]
fn graphs_take_a_part_of_the_memory_that_there_is() {
    assert_eq!(most_bytes(Some(64 << 30)), 16 << 30);
    assert_eq!(most_bytes(Some(0)), 0);
    assert_eq!(most_bytes(None), UNTOLD_BYTES);
    let params = VectorParams::new(128, Distance::Cosine).multivector(MultiVectorComparator::MaxSim);
    let encoder = Encoder::new(&params).unwrap();
    assert!(encoder.fits(0, 32));
    assert!(!encoder.fits(u32::MAX, 32));
    // About as many as `docs/limits.md` says of 4 GiB.
    let rows = UNTOLD_BYTES / encoder.bytes(1, 32);
    assert!((500_000..600_000).contains(&rows), "{rows}");
}
