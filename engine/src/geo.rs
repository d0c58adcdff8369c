//! Points on the globe and how far they are apart.

/// Mean radius of the earth in metres, of the sphere that haversine distances are measured on.
const EARTH_RADIUS: f64 = 6_371_008.8;

/// A point on the globe, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoPoint {
    /// Longitude, -180 to 180.
    pub lon: f64,
    /// Latitude, -90 to 90.
    pub lat: f64,
}

impl GeoPoint {
    /// The point there; `None` when a number is not one of a place on the globe.
    pub fn new(lon: f64, lat: f64) -> Option<Self> {
        ((-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat)).then_some(GeoPoint { lon, lat })
    }
}

/// The length of the great circle between two points, in metres, on a sphere of the earth's mean radius.
///
/// The haversine formula (Sinnott, "Virtues of the Haversine", 1984) keeps its digits for points that are close.
pub(crate) fn haversine_metres(a: GeoPoint, b: GeoPoint) -> f64 {
    let (lat_a, lat_b) = (a.lat.to_radians(), b.lat.to_radians());
    let half_square = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let h = half_square(b.lat - a.lat) + lat_a.cos() * lat_b.cos() * half_square(b.lon - a.lon);
    // Rounding can lead just beyond 1 for points on opposite sides.
    2.0 * EARTH_RADIUS * h.min(1.0).sqrt().asin()
}

#[cfg(test)]
mod tests;
