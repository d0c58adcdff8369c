use super::*;

#[test]
fn percentiles_lie_between_neighbours_as_numpy_has_them() {
    let sorted = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(percentile(&sorted, 50.0), 2.5);
    assert_eq!(percentile(&sorted, 0.0), 1.0);
    assert_eq!(percentile(&sorted, 100.0), 4.0);
    assert!((percentile(&sorted, 99.0) - 3.97).abs() < 1e-12);
}
