use super::*;
use crate::control::Control;
use crate::fixture::{Data, pool};
use crate::hnsw::{Graph, HnswParams, build};
use vdb_sys::element::Element;
use vdb_sys::kernel::Metric;

fn spoiled(spoil: impl FnOnce(&mut Graph)) -> GraphReport {
    let data = Data::clustered(500, 8, 3, Metric::L2, Element::F32, 30);
    let params = HnswParams {
        m: 4,
        ..HnswParams::default()
    };
    let mut graph =
        build(&data.matrix(), Metric::L2, &params, &pool(2), &Control::none()).expect("not cancelled");
    assert!(graph.view().check().is_sound());
    spoil(&mut graph);
    graph.view().check()
}

#[test]
fn each_kind_of_damage_is_told_apart() {
    assert_eq!(spoiled(|graph| graph.base[0] = 500).out_of_bounds, 1);
    assert_eq!(spoiled(|graph| graph.upper.links[0] = 400).out_of_bounds, 1);
    assert_eq!(spoiled(|graph| graph.upper.rows[0] = 500).out_of_bounds, 1);
    assert_eq!(spoiled(|graph| graph.base[8] = 1).to_self, 1);
    assert_eq!(spoiled(|graph| graph.base[1] = graph.base[0]).repeated, 1);
    assert_eq!(
        spoiled(|graph| graph.upper.rows[1] = graph.upper.rows[0]).repeated_nodes,
        1
    );
    assert!(spoiled(|graph| graph.base[8] = FREE).behind_free > 0);
    let alone = spoiled(|graph| graph.base.fill(FREE));
    assert_eq!((alone.reachable, alone.links, alone.is_sound()), (1, 0, false));
}

#[test]
fn upper_rows_out_of_range_still_leave_a_report() {
    let report = spoiled(|graph| graph.upper.rows.fill(u32::MAX));
    assert_eq!(report.reachable, 0);
    assert!(!report.is_sound());
}
