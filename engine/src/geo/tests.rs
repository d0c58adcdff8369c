use super::{EARTH_RADIUS, GeoPoint, haversine_metres};

fn at(lon: f64, lat: f64) -> GeoPoint {
    GeoPoint::new(lon, lat).unwrap()
}

#[test]
fn distances_are_those_of_great_circles() {
    let berlin = at(13.404954, 52.520008);
    let paris = at(2.352222, 48.856614);
    let between = haversine_metres(berlin, paris);
    assert!((between - 877_465.0).abs() < 1_000.0, "{between}");
    assert_eq!(between, haversine_metres(paris, berlin));
    assert_eq!(haversine_metres(paris, paris), 0.0);
    let half = std::f64::consts::PI * EARTH_RADIUS;
    assert!((haversine_metres(at(0.0, 0.0), at(180.0, 0.0)) - half).abs() < 1e-6);
    assert!((haversine_metres(at(0.0, 90.0), at(77.0, -90.0)) - half).abs() < 1e-6);
    // Across the date line.
    assert!((haversine_metres(at(179.5, 0.0), at(-179.5, 0.0)) - half / 180.0).abs() < 1e-6);
}

#[test]
fn numbers_beyond_the_globe_are_no_point() {
    for (lon, lat) in [(180.1, 0.0), (0.0, -90.1), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
        assert_eq!(GeoPoint::new(lon, lat), None);
    }
}
