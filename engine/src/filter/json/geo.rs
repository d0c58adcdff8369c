//! The areas of geo conditions.

use serde_json::Value;

use super::{Result, array, known_keys, number, object, required};
use crate::{
    filter::{
        error::Place,
        geo::{GeoBoundingBox, GeoPoint, GeoPolygon, GeoRadius, POLYGON_POINTS, POLYGON_RINGS},
    },
    limits::{MAX_POLYGON_POINTS, MAX_POLYGON_RINGS},
};

pub(super) fn bounding_box(value: &Value, place: &Place<'_>) -> Result<GeoBoundingBox> {
    let map = object(value, place, "an object with `top_left` and `bottom_right`")?;
    known_keys(map, &["top_left", "bottom_right"], place, "a bounding box")?;
    let corner = |key: &str| point(required(map, key, place)?, &place.key(key));
    Ok(GeoBoundingBox {
        top_left: corner("top_left")?,
        bottom_right: corner("bottom_right")?,
    })
}

pub(super) fn radius(value: &Value, place: &Place<'_>) -> Result<GeoRadius> {
    let map = object(value, place, "an object with `center` and `radius`")?;
    known_keys(map, &["center", "radius"], place, "a radius")?;
    Ok(GeoRadius {
        center: point(required(map, "center", place)?, &place.key("center"))?,
        radius: number(required(map, "radius", place)?, &place.key("radius"))?,
    })
}

pub(super) fn polygon(value: &Value, place: &Place<'_>) -> Result<GeoPolygon> {
    let map = object(value, place, "an object with `exterior` and `interiors`")?;
    known_keys(map, &["exterior", "interiors"], place, "a polygon")?;
    let exterior = ring(required(map, "exterior", place)?, &place.key("exterior"))?;
    let interiors = match map.get("interiors") {
        None | Some(Value::Null) => Vec::new(),
        Some(value) => {
            let place = place.key("interiors");
            let list = array(value, &place)?;
            place.within(POLYGON_RINGS, MAX_POLYGON_RINGS, list.len() + 1)?;
            list.iter()
                .enumerate()
                .map(|(number, item)| ring(item, &place.index(number)))
                .collect::<Result<_>>()?
        }
    };
    let polygon = GeoPolygon { exterior, interiors };
    polygon.check(place)?;
    Ok(polygon)
}

fn ring(value: &Value, place: &Place<'_>) -> Result<Vec<GeoPoint>> {
    let map = object(value, place, "an object with `points`")?;
    known_keys(map, &["points"], place, "a ring")?;
    let here = place.key("points");
    let list = array(required(map, "points", place)?, &here)?;
    here.within(POLYGON_POINTS, MAX_POLYGON_POINTS, list.len())?;
    list.iter()
        .enumerate()
        .map(|(number, item)| point(item, &here.index(number)))
        .collect()
}

fn point(value: &Value, place: &Place<'_>) -> Result<GeoPoint> {
    let map = object(value, place, "an object with `lon` and `lat`")?;
    known_keys(map, &["lon", "lat"], place, "a position")?;
    let degrees = |key: &str| number(required(map, key, place)?, &place.key(key));
    let point = GeoPoint {
        lon: degrees("lon")?,
        lat: degrees("lat")?,
    };
    point.check(place)?;
    Ok(point)
}
