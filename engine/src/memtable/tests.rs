use super::*;
use crate::config::{CollectionConfig, Distance, VectorParams};

fn table() -> Memtable {
    let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot))
        .vector("b", VectorParams::new(1, Distance::Dot));
    Memtable::new(&Schema::new(config).unwrap())
}

fn id(n: u64) -> PointId {
    PointId::Num(n)
}

#[test]
fn a_reader_sees_the_version_of_its_time() {
    let table = table();
    table.push(id(1), 1, 10, b"old", &[Some(&[0; 8]), None]);
    let first = table.latest(id(1)).unwrap();
    assert!(table.kill(first, 20));
    table.push(id(1), 2, 20, b"new", &[None, Some(&[0; 4])]);
    let payload_at = |lsn| {
        table
            .find(id(1), lsn)
            .map(|row| table.row(row).unwrap().payload.to_vec())
    };
    assert_eq!(payload_at(9), None);
    assert_eq!(payload_at(10), Some(b"old".to_vec()));
    assert_eq!(payload_at(19), Some(b"old".to_vec()));
    assert_eq!(payload_at(20), Some(b"new".to_vec()));
}

#[test]
fn a_deleted_point_is_gone_for_writers_at_once_and_for_readers_from_its_time_on() {
    let table = table();
    table.push(id(1), 1, 10, b"", &[None, None]);
    let row = table.latest(id(1)).unwrap();
    assert!(table.kill(row, 15));
    assert!(!table.kill(row, 16));
    assert_eq!(table.latest(id(1)), None);
    assert_eq!(table.find(id(1), 14), Some(row));
    assert_eq!(table.find(id(1), 15), None);
}

#[test]
fn a_deleted_point_is_not_looked_for_in_all_its_versions() {
    let table = table();
    for lsn in 1..=50_000 {
        if let Some(row) = table.latest(id(1)) {
            table.kill(row, lsn);
        }
        table.push(id(1), lsn, lsn, b"", &[None, None]);
    }
    let last = table.latest(id(1)).unwrap();
    assert!(table.kill(last, 50_001));
    let start = Instant::now();
    for _ in 0..20_000 {
        assert_eq!(table.find(id(1), 50_001), None);
    }
    // Version after version they took a minute.
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    assert_eq!(table.find(id(1), 50_000), Some(last));
    assert_eq!(table.find(id(1), 1), Some(0));
    assert_eq!(table.find(id(1), 0), None);
}

#[test]
fn vectors_of_each_name_lie_together_and_know_their_rows() {
    let table = table();
    table.push(id(1), 1, 1, b"", &[Some(&[1; 8]), None]);
    table.push(id(2), 2, 2, b"", &[None, Some(&[2; 4])]);
    table.push(id(3), 3, 3, b"", &[Some(&[3; 8]), Some(&[4; 4])]);
    let b = table.vectors(1).unwrap();
    assert_eq!(
        (b.rows.len(), b.owner(0), b.owner(1), b.owner(2)),
        (2, Some(1), Some(2), None)
    );
    let third = table.row(2).unwrap();
    assert_eq!(table.vector(third, 0), Some([3; 8].as_slice()));
    assert!(third.has_vector(0) && !table.row(1).unwrap().has_vector(0));
    assert_eq!(table.vector(third, 2), None);
}

#[test]
fn pages_come_in_the_order_of_ids() {
    let table = table();
    for (n, lsn) in [(5, 1), (1, 2), (9, 3), (3, 4)] {
        table.push(id(n), lsn, lsn, b"", &[None, None]);
    }
    let page = |from, limit, lsn| -> Vec<PointId> {
        table
            .page(from, limit, lsn)
            .into_iter()
            .map(|(id, _)| id)
            .collect()
    };
    assert_eq!(page(Bound::Unbounded, 10, 9), [id(1), id(3), id(5), id(9)]);
    assert_eq!(page(Bound::Unbounded, 10, 3), [id(1), id(5), id(9)]);
    assert_eq!(page(Bound::Excluded(id(3)), 1, 9), [id(5)]);
}

#[test]
fn operations_without_rows_are_covered_too() {
    let table = table();
    assert!(table.is_empty());
    table.cover(7, 3);
    table.cover(9, 4);
    assert_eq!(
        (
            table.first_lsn(),
            table.last_lsn(),
            table.last_seq(),
            table.is_empty()
        ),
        (7, 9, 4, false)
    );
}
