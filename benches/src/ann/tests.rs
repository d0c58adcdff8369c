//! `data/small-angular.hdf5` was written by h5py 3 as ann-benchmarks writes its files: 60 random rows of 5 numbers, 7
//! queries, 20 neighbours each.

use super::*;
use crate::dataset::{Dataset, Source};

fn source() -> Source {
    Source {
        data: Path::new(env!("CARGO_MANIFEST_DIR")).join("data/small-angular.hdf5"),
        queries: 5,
        ..Source::default()
    }
}

#[test]
fn neighbours_of_the_file_are_those_of_exact_search() {
    let set = Dataset::read(&source()).unwrap();
    assert_eq!(
        (set.len(), set.dim, set.queries.len(), set.distance),
        (60, 5, 5, Distance::Cosine)
    );
    assert_eq!(set.known.len(), 5);
    assert_eq!(set.truth(10), set.nearest(&set.queries, 10, None));
    let fewer = Dataset::read(&Source {
        rows: Some(30),
        ..source()
    });
    let fewer = fewer.unwrap();
    assert!(fewer.known.is_empty() && fewer.truth(10).iter().flatten().all(|row| *row < 30));
}

#[test]
fn what_does_not_fit_is_told() {
    let mut other = source();
    other.split = Some("split.npy".into());
    assert!(
        Dataset::read(&other)
            .unwrap_err()
            .to_string()
            .contains("takes no payloads and no split")
    );
    assert!(distance_named("hamming").unwrap_err().contains("hamming"));
}
