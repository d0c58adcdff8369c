use vdb_storage::PointId;

use super::draw;

#[test]
fn every_point_is_drawn_about_as_often() {
    const POINTS: u64 = 40;
    const SEEDS: u64 = 4_000;
    let mut drawn = [0u32; POINTS as usize];
    for seed in 0..SEEDS {
        let first = (0..POINTS).min_by_key(|&id| draw(seed, PointId::Num(id)));
        drawn[first.unwrap() as usize] += 1;
    }
    // About 100 each; six standard deviations of that are 60.
    assert!(drawn.iter().all(|count| (40..160).contains(count)), "{drawn:?}");
}

#[test]
fn numbers_and_uuids_are_different_points() {
    let uuid = uuid::Uuid::from_u64_pair(0, 7);
    assert_ne!(draw(1, PointId::Num(7)), draw(1, PointId::Uuid(uuid)));
    assert_ne!(draw(1, PointId::Num(7)), draw(2, PointId::Num(7)));
}
