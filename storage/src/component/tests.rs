use proptest::prelude::*;

use super::*;

#[test]
fn names_are_those_that_the_format_promises() {
    for (component, revision, name) in [
        (Component::Points, 0, "seg-0000002a.points"),
        (Component::Payload, 0, "seg-0000002a.payload"),
        (Component::Payload, 2, "seg-0000002a.payload-2"),
        (Component::Tombstones, 31, "seg-0000002a.tomb-1f"),
        (Component::Vectors(0), 0, "seg-0000002a.v0000.vec"),
        (Component::Graph(258), 1, "seg-0000002a.v0102.hnsw-1"),
        (Component::PayloadIndex(7), 0, "seg-0000002a.p0007.idx"),
        (Component::Sparse(1), 0, "seg-0000002a.s0001.spv"),
        (Component::SparseIndex(1), 3, "seg-0000002a.s0001.inv-3"),
        (Component::Multi(259), 0, "seg-0000002a.v0103.mvec"),
        (Component::Partitions(258), 2, "seg-0000002a.v0102.part-2"),
    ] {
        let file = SegmentFile {
            segment: 42,
            component,
            revision,
        };
        assert_eq!(file.to_string(), name);
        assert_eq!(file.path("c/1"), format!("c/1/{name}"));
        assert_eq!(SegmentFile::parse(name), Some(file));
    }
}

#[test]
fn names_that_are_not_ours_are_not_taken_for_ours() {
    for name in [
        "",
        "seg-",
        "seg-2a.points",
        "seg-0000002A.points",
        "seg-+000002a.points",
        "seg-0000002a",
        "seg-0000002a.points.tmp",
        "seg-0000002a.points-0",
        "seg-0000002a.points-01",
        "seg-0000002a.vec",
        "seg-0000002a.v0000.idx",
        "seg-0000002a.v0000.points",
        "seg-0000002a.p0000.vec",
        "seg-0000002a.v00000.vec",
        "seg-0000002a.spv",
        "seg-0000002a.mvec",
        "seg-0000002a.s0000.mvec",
        "seg-0000002a.v0000.spv",
        "seg-0000002a.s0000.vec",
        "seg-0000002a.s0000.hnsw",
        "seg-0000002a.p0000.part",
        "seg-10000000000000000.points",
        "manifest-0000000000000001",
    ] {
        assert_eq!(SegmentFile::parse(name), None, "{name}");
    }
}

#[test]
fn codes_are_stable() {
    let codes = [
        (0, Component::Points),
        (1, Component::Payload),
        (2, Component::Tombstones),
        (3, Component::Vectors(9)),
        (4, Component::Graph(9)),
        (5, Component::PayloadIndex(9)),
        (6, Component::Sparse(9)),
        (7, Component::SparseIndex(9)),
        (8, Component::Multi(9)),
        (9, Component::Partitions(9)),
    ];
    for (code, component) in codes {
        assert_eq!(component.code(), code);
        assert_eq!(Component::from_code(code, component.number()), Some(component));
    }
    assert_eq!(Component::from_code(0, 1), None);
    assert_eq!(Component::from_code(10, 0), None);
}

proptest! {
    #[test]
    fn every_file_is_found_by_its_name(segment in any::<u64>(), code in 0u8..10, number: u16, revision: u32) {
        let number = if code < 3 { 0 } else { number };
        let file = SegmentFile { segment, component: Component::from_code(code, number).unwrap(), revision };
        prop_assert_eq!(SegmentFile::parse(&file.to_string()), Some(file));
        vdb_vfs::path::check(&file.path("collections/1")).unwrap();
    }

    #[test]
    fn parsing_any_name_never_panics(name in "(seg-)?[0-9a-f]{0,9}\\.?\\PC*") {
        let _ = SegmentFile::parse(&name);
    }
}
