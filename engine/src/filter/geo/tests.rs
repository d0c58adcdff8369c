use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Area, GeoBoundingBox, GeoPoint, GeoPolygon, GeoRadius};
use crate::filter::{
    CompiledFilter, Condition, Filter, FilterError,
    fixture::{Doc, NoTexts},
};

fn at(lon: f64, lat: f64) -> GeoPoint {
    GeoPoint { lon, lat }
}

/// Positions at most twice a degree from the origin, on a grid of whole degrees.
fn on_grid() -> impl Strategy<Value = GeoPoint> + Clone {
    (-2_i32..3, -2_i32..3).prop_map(|(lon, lat)| at(lon.into(), lat.into()))
}

fn ring() -> impl Strategy<Value = Vec<GeoPoint>> + Clone {
    proptest::collection::vec(on_grid(), 3..7).prop_map(|mut ring| {
        ring.push(ring[0]);
        ring
    })
}

/// Whether a point is on a ring, and the ring's winding number around it as the sum of the angles under which its edges
/// are seen: the definition, without any case of its own for corners and level edges.
fn seen(ring: &[GeoPoint], point: GeoPoint) -> (bool, i64) {
    let mut angle = 0.0;
    for pair in ring.windows(2) {
        let [ax, ay, bx, by] = [
            pair[0].lon - point.lon,
            pair[0].lat - point.lat,
            pair[1].lon - point.lon,
            pair[1].lat - point.lat,
        ];
        let (cross, dot) = (ax * by - ay * bx, ax * bx + ay * by);
        if cross == 0.0 && dot <= 0.0 {
            return (true, 0);
        }
        angle += cross.atan2(dot);
    }
    (false, (angle / std::f64::consts::TAU).round() as i64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_polygon_holds_what_its_rings_wind_around(
        exterior in ring(), interiors in proptest::collection::vec(ring(), 0..3), lon in -9_i32..10, lat in -9_i32..10,
    ) {
        let point = at(f64::from(lon) / 4.0, f64::from(lat) / 4.0);
        let (on_edge, winding) = seen(&exterior, point);
        let in_hole = interiors.iter().any(|ring| {
            let (on_edge, winding) = seen(ring, point);
            on_edge || winding != 0
        });
        let polygon = GeoPolygon { exterior, interiors };
        prop_assert_eq!(polygon.contains(point), !on_edge && winding != 0 && !in_hole);
    }

    #[test]
    fn distances_are_those_of_vectors_from_the_center_of_a_sphere(
        a in (-180.0..=180.0, -90.0..=90.0), b in (-180.0..=180.0, -90.0..=90.0),
    ) {
        let (a, b) = (at(a.0, a.1), at(b.0, b.1));
        let vector = |p: GeoPoint| {
            let (lon, lat) = (p.lon.to_radians(), p.lat.to_radians());
            [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
        };
        let (u, v) = (vector(a), vector(b));
        let chord: f64 = u.iter().zip(v).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
        let expected = 2.0 * 6_371_008.8 * (chord / 2.0).min(1.0).asin();
        let distance = a.distance(b);
        // Near the other end of the Earth the arc sine magnifies what rounding leaves.
        prop_assert!((distance - expected).abs() < 1.0, "{distance} {expected}");
        prop_assert!((b.distance(a) - distance).abs() < 1e-3);
    }
}

#[test]
fn distances_between_cities_are_known() {
    let (berlin, paris) = (at(13.4050, 52.5200), at(2.3522, 48.8566));
    assert!(
        (berlin.distance(paris) - 877_464.6).abs() < 50.0,
        "{}",
        berlin.distance(paris)
    );
    let degree = at(0.0, 0.0).distance(at(1.0, 0.0));
    assert!((degree - 111_195.08).abs() < 0.01, "{degree}");
}

#[test]
fn a_circle_does_not_hold_its_edge() {
    let (center, edge) = (at(0.0, 0.0), at(1.0, 0.0));
    let radius = center.distance(edge);
    let circle = |radius: f64| Area::Circle(GeoRadius { center, radius });
    assert!(!circle(radius).contains(edge));
    assert!(circle(radius.next_up()).contains(edge));
    assert!(!circle(0.0).contains(center));
    assert!(!circle(-1.0).contains(center));
    assert!(circle(f64::MIN_POSITIVE).contains(center));
    // Across the 180th meridian and over a pole.
    let near = |a: GeoPoint, b: GeoPoint| {
        Area::Circle(GeoRadius {
            center: a,
            radius: 250_000.0,
        })
        .contains(b)
    };
    assert!(near(at(179.5, 10.0), at(-179.5, 10.0)));
    assert!(near(at(0.0, 89.5), at(180.0, 89.5)));
}

#[test]
fn a_box_does_not_hold_its_edge_and_may_cross_the_180th_meridian() {
    let holds = |west, north, east, south, lon, lat| {
        let corners = GeoBoundingBox {
            top_left: at(west, north),
            bottom_right: at(east, south),
        };
        Area::Box(corners).contains(at(lon, lat))
    };
    assert!(holds(0.0, 2.0, 2.0, 0.0, 1.0, 1.0));
    for (lon, lat) in [
        (0.0, 1.0),
        (2.0, 1.0),
        (1.0, 0.0),
        (1.0, 2.0),
        (3.0, 1.0),
        (1.0, -1.0),
    ] {
        assert!(!holds(0.0, 2.0, 2.0, 0.0, lon, lat), "{lon} {lat}");
    }
    for (lon, inside) in [
        (175.0, true),
        (180.0, true),
        (-180.0, true),
        (-175.0, true),
        (170.0, false),
        (-170.0, false),
        (0.0, false),
    ] {
        assert_eq!(holds(170.0, 2.0, -170.0, 0.0, lon, 1.0), inside, "{lon}");
    }
    assert!(!holds(0.0, 0.0, 2.0, 2.0, 1.0, 1.0), "north below south");
}

#[test]
fn positions_are_objects_of_two_numbers_on_the_earth() {
    let everywhere = Filter::must([Condition::geo_bounding_box(
        "a",
        at(-180.0, 90.0),
        at(180.0, -90.0),
    )]);
    let matches = |payload: Value| {
        let filter = CompiledFilter::new(&everywhere, &NoTexts).unwrap();
        filter.matches(&Doc::new(&payload)).unwrap()
    };
    for position in [
        json!({"lon": 1, "lat": 2.5}),
        json!({"lon": 1, "lat": 2.5, "name": "x"}),
        json!([null, {"lon": 1, "lat": 2}]),
    ] {
        assert!(matches(json!({ "a": position })), "{position}");
    }
    for other in [
        json!(null),
        json!([1, 2]),
        json!({"lon": 1}),
        json!({"lon": "1", "lat": "2"}),
        json!({"lon": 180.5, "lat": 2}),
        json!({"lon": 1, "lat": -90.5}),
        json!([[{"lon": 1, "lat": 2}]]),
        json!({"lat": null, "lon": 1}),
    ] {
        assert!(!matches(json!({ "a": other })), "{other}");
    }
    assert!(!matches(json!({})));
}

#[test]
fn areas_that_are_built_are_checked_before_they_are_used() {
    let refused = |condition: Condition| {
        CompiledFilter::new(&condition.into(), &NoTexts)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(Condition::geo_radius("a", at(f64::NAN, 0.0), 1.0)),
        "must[0].geo_radius.center.lon: expected degrees from -180 to 180, found NaN"
    );
    assert_eq!(
        refused(Condition::geo_radius("a", at(0.0, 0.0), f64::NAN)),
        "must[0].geo_radius.radius: expected metres, found NaN"
    );
    assert_eq!(
        refused(Condition::geo_polygon("a", vec![at(0.0, 0.0); 3], Vec::new())),
        "must[0].geo_polygon.exterior.points: expected a ring of 4 points or more, found 3"
    );
    assert_eq!(
        refused(Condition::slice(3, 3)),
        "must[0].slice.index: expected an index below the total of 3, found 3"
    );
    // Together, not only each.
    let large = vec![at(0.0, 0.0); crate::MAX_POLYGON_POINTS];
    let many = (0..17).map(|_| Condition::geo_polygon("a", large.clone(), Vec::new()));
    let error = CompiledFilter::new(&Filter::must(many), &NoTexts).unwrap_err();
    assert!(
        matches!(error, FilterError::Limit { found: 1_114_112, .. }),
        "{error}"
    );
}
