//! Positions and areas, on JSON as they are written. Right for coordinates that are multiples of a half.

use serde_json::Value;

/// Longitude and latitude.
type Point = [f64; 2];

/// The position that a value is, if it is one.
fn position(value: &Value) -> Option<Point> {
    let [lon, lat] = ["lon", "lat"].map(|key| value.get(key).and_then(Value::as_f64));
    let (lon, lat) = (lon?, lat?);
    (lon.abs() <= 180.0 && lat.abs() <= 90.0).then_some([lon, lat])
}

/// Whether a value is a position within an area of this kind.
pub(super) fn within(kind: &str, area: &Value, value: &Value) -> bool {
    let Some(point) = position(value) else {
        return false;
    };
    let corner = |key: &str| position(&area[key]).unwrap();
    match kind {
        "geo_bounding_box" => {
            let ([west, north], [east, south]) = (corner("top_left"), corner("bottom_right"));
            let [lon, lat] = point;
            let between = if west > east {
                lon > west || lon < east
            } else {
                lon > west && lon < east
            };
            between && lat > south && lat < north
        }
        "geo_radius" => distance(corner("center"), point) < area["radius"].as_f64().unwrap(),
        "geo_polygon" => {
            let (on_edge, winding) = seen(&area["exterior"], point);
            let none = Vec::new();
            let mut holes = area["interiors"].as_array().unwrap_or(&none).iter();
            !on_edge && winding != 0 && holes.all(|hole| seen(hole, point) == (false, 0))
        }
        other => panic!("unknown area {other}"),
    }
}

/// Along the surface of a sphere, from the straight line through it.
fn distance(a: Point, b: Point) -> f64 {
    let vector = |[lon, lat]: Point| {
        let (lon, lat) = (lon.to_radians(), lat.to_radians());
        [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
    };
    let (u, v) = (vector(a), vector(b));
    let squares: f64 = u.iter().zip(v).map(|(x, y)| (x - y).powi(2)).sum();
    2.0 * 6_371_008.8 * (squares.sqrt() / 2.0).min(1.0).asin()
}

/// Whether a position is on a ring, and else how often the ring winds around it: the sum of the angles under which its
/// edges are seen.
fn seen(ring: &Value, [x, y]: Point) -> (bool, i64) {
    let points: Vec<Point> = ring["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| position(point).unwrap())
        .collect();
    let mut angle = 0.0;
    for pair in points.windows(2) {
        let ([ax, ay], [bx, by]) = (pair[0], pair[1]);
        let (ax, ay, bx, by) = (ax - x, ay - y, bx - x, by - y);
        let (cross, dot) = (ax * by - ay * bx, ax * bx + ay * by);
        if cross == 0.0 && dot <= 0.0 {
            return (true, 0);
        }
        angle += cross.atan2(dot);
    }
    (false, (angle / std::f64::consts::TAU).round() as i64)
}
