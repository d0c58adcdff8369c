//! Areas over an index of positions.

use serde_json::{Value, json};
use vdb_index::postings::Kind;

use super::{Candidates, Segment, candidates, estimate};
use crate::filter::fixture::NoTexts;
use crate::filter::{CompiledFilter, Condition, Filter, GeoPoint};

fn at(lon: f64, lat: f64) -> GeoPoint {
    GeoPoint { lon, lat }
}

/// Positions that fill the Earth evenly and in no order: multiples of two irrational steps.
fn positions(count: u32) -> Vec<Value> {
    let part = |number: u32, step: f64| (f64::from(number) * step).fract();
    (0..count)
        .map(|number| {
            let (lon, lat) = (
                part(number, 0.754_877_666_246_693) * 360.0 - 180.0,
                part(number, 0.569_840_290_998_053) * 180.0 - 90.0,
            );
            json!({"a": {"lon": lon, "lat": lat}})
        })
        .collect()
}

/// Areas of about a hundredth of all longitudes and latitudes, here and there.
fn areas() -> Vec<Condition> {
    let ring = |west: f64, south: f64, size: f64| {
        [(0.0, 0.0), (2.0, 0.5), (1.0, 2.0), (0.2, 1.6), (0.0, 0.0)]
            .map(|(x, y)| at(west + x * size, south + y * size))
            .to_vec()
    };
    vec![
        Condition::geo_bounding_box("a", at(10.0, 60.0), at(46.0, 42.0)),
        Condition::geo_bounding_box("a", at(162.0, 9.0), at(-162.0, -9.0)),
        Condition::geo_radius("a", at(13.4, 52.5), 1_000_000.0),
        Condition::geo_radius("a", at(179.0, -10.0), 1_500_000.0),
        Condition::geo_radius("a", at(0.0, 90.0), 900_000.0),
        Condition::geo_polygon("a", ring(0.0, 30.0, 16.0), Vec::new()),
        Condition::geo_polygon("a", ring(-60.0, -20.0, 17.0), vec![ring(-50.0, -10.0, 5.0)]),
    ]
}

#[test]
fn areas_are_answered_from_the_index_but_for_a_few_positions_on_their_edge() {
    let segment = Segment::new(&positions(20_000), &[("a", Kind::Geo)]);
    for condition in areas() {
        let filter = CompiledFilter::new(&Filter::must([condition.clone()]), &NoTexts).unwrap();
        let matching = segment.matching(&filter);
        assert!(
            (50..1_000).contains(&matching.len()),
            "{} {condition:?}",
            matching.len()
        );
        match candidates(&filter, &segment).unwrap() {
            Candidates::Exact(rows) => assert_eq!(rows, matching, "{condition:?}"),
            Candidates::Between {
                certain,
                possible: rows,
            } => {
                assert!(certain.len() + 2 >= matching.len(), "{condition:?}");
                assert!(certain.minus(&matching).is_empty(), "{condition:?}");
                assert!(matching.clone().minus(&rows).is_empty(), "{condition:?}");
                assert!(rows.len() <= matching.len() + 2, "{condition:?}");
            }
            Candidates::Unknown => panic!("no plan for {condition:?}"),
        }
        let bounds = estimate(&filter, &segment).unwrap();
        assert!(
            bounds.min <= matching.len() && matching.len() <= bounds.max,
            "{bounds:?}"
        );
        assert!(bounds.max - bounds.min <= 2, "{bounds:?} {condition:?}");
    }
}

/// In a polygon that is nearly a circle.
fn round(corners: u32) -> CompiledFilter {
    let corner = |number: u32| {
        let angle = f64::from(number) / f64::from(corners) * std::f64::consts::TAU;
        at(40.0 * angle.cos(), 40.0 * angle.sin())
    };
    let mut ring: Vec<_> = (0..corners).map(corner).collect();
    ring.push(ring[0]);
    let polygon = Condition::geo_polygon("a", ring, Vec::new());
    CompiledFilter::new(&Filter::must([polygon]), &NoTexts).unwrap()
}

/// Were all of its edges looked at each time, there would be looks at 512 tiles and positions, which are too few.
#[test]
fn a_small_tile_is_told_by_the_edges_near_to_it() {
    let segment = Segment::new(&positions(10_000), &[("a", Kind::Geo)]);
    let filter = round(8_191);
    let matching = segment.matching(&filter);
    assert!(matching.len() > 500, "{}", matching.len());
    match candidates(&filter, &segment).unwrap() {
        Candidates::Exact(rows) => assert_eq!(rows, matching),
        Candidates::Between { certain, possible } => {
            assert!(matching.clone().minus(&possible).is_empty());
            assert!(certain.clone().minus(&matching).is_empty());
            assert!(
                possible.len() <= certain.len() + 2,
                "{} {}",
                possible.len(),
                certain.len()
            );
        }
        Candidates::Unknown => panic!("no plan"),
    }
}

#[test]
fn a_polygon_of_many_edges_gets_a_coarser_answer() {
    let segment = Segment::new(&positions(2_000), &[("a", Kind::Geo)]);
    let filter = round((crate::MAX_POLYGON_POINTS - 1) as u32);
    let matching = segment.matching(&filter);
    let (Candidates::Exact(rows) | Candidates::Between { possible: rows, .. }) =
        candidates(&filter, &segment).unwrap()
    else {
        panic!("no plan");
    };
    assert!(matching.clone().minus(&rows).is_empty());
    assert!(
        matching.len() > 100 && rows.len() < 2 * matching.len(),
        "{} {}",
        rows.len(),
        matching.len()
    );
}
