//! The areas of geo conditions, and slices.

use proptest::prelude::*;
use serde_json::json;

use super::{Condition, Predicate, one, refused};
use crate::filter::{GeoBoundingBox, GeoPoint, GeoPolygon, GeoRadius};

fn at(lon: f64, lat: f64) -> GeoPoint {
    GeoPoint { lon, lat }
}

pub(super) fn area() -> impl Strategy<Value = Predicate> {
    let point = (-180.0..=180.0, -90.0..=90.0).prop_map(|(lon, lat)| at(lon, lat));
    let ring = proptest::collection::vec(point.clone(), 3..6).prop_map(|mut ring| {
        ring.push(ring[0]);
        ring
    });
    prop_oneof![
        (point.clone(), point.clone()).prop_map(|(top_left, bottom_right)| {
            Predicate::GeoBoundingBox(GeoBoundingBox {
                top_left,
                bottom_right,
            })
        }),
        (point, -1e3..1e8).prop_map(|(center, radius)| Predicate::GeoRadius(GeoRadius { center, radius })),
        (ring.clone(), proptest::collection::vec(ring, 0..3))
            .prop_map(|(exterior, interiors)| Predicate::GeoPolygon(GeoPolygon { exterior, interiors })),
    ]
}

#[test]
fn every_shape_of_area_is_read() {
    let ring = json!({"points": [{"lon": 0, "lat": 0}, {"lon": 1, "lat": 0}, {"lon": 0, "lat": 1}, {"lon": 0, "lat": 0}]});
    let triangle = vec![at(0.0, 0.0), at(1.0, 0.0), at(0.0, 1.0), at(0.0, 0.0)];
    for (json, expected) in [
        (
            json!({"key": "a", "geo_bounding_box": {"top_left": {"lon": 170, "lat": 1.5}, "bottom_right": {"lon": -170, "lat": 0}}}),
            Condition::geo_bounding_box("a", at(170.0, 1.5), at(-170.0, 0.0)),
        ),
        (
            json!({"key": "a", "geo_radius": {"center": {"lat": 2.0, "lon": 1.0}, "radius": 5}}),
            Condition::geo_radius("a", at(1.0, 2.0), 5.0),
        ),
        (
            json!({"key": "a", "geo_polygon": {"exterior": ring}}),
            Condition::geo_polygon("a", triangle.clone(), Vec::new()),
        ),
        (
            json!({"key": "a", "geo_polygon": {"exterior": ring, "interiors": null}}),
            Condition::geo_polygon("a", triangle.clone(), Vec::new()),
        ),
        (
            json!({"key": "a", "geo_polygon": {"exterior": ring, "interiors": [ring, ring]}}),
            Condition::geo_polygon("a", triangle.clone(), vec![triangle.clone(), triangle]),
        ),
    ] {
        assert_eq!(one(json.clone()), expected, "{json}");
    }
}

#[test]
fn what_is_no_area_and_no_slice_is_refused_where_it_is_not() {
    let origin = json!({"lon": 0, "lat": 0});
    let ring = |points: &[(i32, i32)]| {
        let points: Vec<_> = points
            .iter()
            .map(|(lon, lat)| json!({"lon": lon, "lat": lat}))
            .collect();
        json!({ "points": points })
    };
    let triangle = ring(&[(0, 0), (1, 0), (0, 1), (0, 0)]);
    let many = vec![triangle.clone(); crate::MAX_POLYGON_RINGS];
    let long = vec![origin.clone(); crate::MAX_POLYGON_POINTS + 1];
    for (condition, expected) in [
        (
            json!({"key": "a", "geo_radius": {"center": origin}}),
            "must[0].geo_radius: `radius` is missing",
        ),
        (
            json!({"key": "a", "geo_radius": {"center": {"lon": 181, "lat": 0}, "radius": 1}}),
            "must[0].geo_radius.center.lon: expected degrees from -180 to 180, found 181",
        ),
        (
            json!({"key": "a", "geo_radius": {"center": {"lon": 0, "lat": 0, "alt": 3}, "radius": 1}}),
            "must[0].geo_radius.center: unknown key \"alt\" in a position",
        ),
        (
            json!({"key": "a", "geo_radius": {"center": origin, "radius": "1 km"}}),
            "must[0].geo_radius.radius: expected a number, found \"1 km\"",
        ),
        (
            json!({"key": "a", "geo_bounding_box": {"top_left": origin, "bottom_right": {"lon": 0, "lat": -90.5}}}),
            "must[0].geo_bounding_box.bottom_right.lat: expected degrees from -90 to 90, found -90.5",
        ),
        (
            json!({"key": "a", "geo_polygon": {"exterior": ring(&[(0, 0), (1, 0), (0, 0)])}}),
            "must[0].geo_polygon.exterior.points: expected a ring of 4 points or more, found 3",
        ),
        (
            json!({"key": "a", "geo_polygon": {"exterior": triangle, "interiors": [triangle, ring(&[(0, 0), (1, 0), (0, 1), (1, 1)])]}}),
            "must[0].geo_polygon.interiors[1].points: expected a ring whose last point is its first",
        ),
        (
            json!({"key": "a", "geo_polygon": {"exterior": triangle, "interiors": many}}),
            "must[0].geo_polygon.interiors: too large: rings of a polygon: at most 4096, got 4097",
        ),
        (
            json!({"key": "a", "geo_polygon": {"exterior": {"points": long}}}),
            "must[0].geo_polygon.exterior.points: too large: points of a polygon: at most 65536, got 65537",
        ),
        (
            json!({"key": "a", "geo_polygon": {"exterior": [origin]}}),
            "must[0].geo_polygon.exterior: expected an object with `points`, found a list",
        ),
        (
            json!({"slice": {"total": 0, "index": 0}}),
            "must[0].slice.total: expected 1 or more, found 0",
        ),
        (
            json!({"slice": {"total": 2, "index": 2}}),
            "must[0].slice.index: expected an index below the total of 2, found 2",
        ),
        (
            json!({"slice": {"total": 2, "index": -1}}),
            "must[0].slice.index: expected an integer from 0 to 4294967295, found -1",
        ),
        (
            json!({"slice": {"total": 2}}),
            "must[0].slice: `index` is missing",
        ),
    ] {
        assert_eq!(refused(json!({ "must": [condition] })), expected);
    }
}
