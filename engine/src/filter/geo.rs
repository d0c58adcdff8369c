//! Positions on the Earth, and the areas that a filter asks about.
//!
//! | file | what it holds |
//! |---|---|
//! | `polygon.rs` | which positions a polygon holds |
//! | `orientation.rs` | on which side of a line a position is, without rounding |
//! | `rectangle.rs` | how the tiles of a quadtree lie to an area |

use vdb_storage::{
    ValueError,
    payload::{ObjectRef, ValueRef},
};

use super::{
    error::{FilterError, Place},
    eval::number_of,
};

mod orientation;
mod polygon;
mod rectangle;

pub use polygon::GeoPolygon;
pub(super) use polygon::{POLYGON_POINTS, POLYGON_RINGS};
pub(super) use rectangle::{CELL_LEVEL, Outline, Relation, Tile};

/// Mean radius of the Earth in metres: R1 of the International Union of Geodesy and Geophysics.
const EARTH_RADIUS: f64 = 6_371_008.8;

/// A position, in degrees. In payloads and filters an object of the two numbers `lon` and `lat`; what else the
/// object has does not matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoPoint {
    /// Longitude, from -180 to 180, growing eastward.
    pub lon: f64,
    /// Latitude, from -90 to 90, growing northward.
    pub lat: f64,
}

/// The positions strictly between two parallels and two meridians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoBoundingBox {
    /// The north-western corner.
    pub top_left: GeoPoint,
    /// The south-eastern corner. When it lies west of the other one, the box crosses the 180th meridian; when it lies
    /// north of it, the box holds nothing.
    pub bottom_right: GeoPoint,
}

/// The positions less than `radius` from `center`, on a sphere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoRadius {
    /// The position that distances are counted from.
    pub center: GeoPoint,
    /// Metres; nothing is within 0 or less.
    pub radius: f64,
}

/// An area that was checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Area {
    Box(GeoBoundingBox),
    Circle(GeoRadius),
    Polygon(GeoPolygon),
}

impl GeoPoint {
    /// The position there; `None` when a number is not one of a position on the Earth.
    pub fn new(lon: f64, lat: f64) -> Option<Self> {
        let point = Self { lon, lat };
        point.is_on_earth().then_some(point)
    }

    fn is_on_earth(self) -> bool {
        (-180.0..=180.0).contains(&self.lon) && (-90.0..=90.0).contains(&self.lat)
    }

    /// Whether this is a position on the Earth; `place` is the point's.
    pub(super) fn check(self, place: &Place<'_>) -> Result<(), FilterError> {
        for (key, degrees, limit) in [("lon", self.lon, 180.0), ("lat", self.lat, 90.0)] {
            if !(-limit..=limit).contains(&degrees) {
                let problem = format!("expected degrees from -{limit} to {limit}, found {degrees}");
                return Err(place.key(key).invalid(problem));
            }
        }
        Ok(())
    }

    /// The position that a value of a payload spells, if it does.
    ///
    /// # Errors
    /// The payload is damaged there.
    pub(crate) fn of(value: ValueRef<'_>) -> Result<Option<Self>, ValueError> {
        let ValueRef::Object(object) = value else {
            return Ok(None);
        };
        let number = |key: &str, object: ObjectRef<'_>| Ok(object.get(key)?.and_then(number_of));
        let (Some(lon), Some(lat)) = (number("lon", object)?, number("lat", object)?) else {
            return Ok(None);
        };
        Ok(Self::new(lon, lat))
    }

    /// The length in metres of the shortest way on a sphere, by the haversine formula.
    pub(crate) fn distance(self, other: Self) -> f64 {
        let half_sine = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
        let a = half_sine(other.lat - self.lat)
            + self.lat.to_radians().cos() * other.lat.to_radians().cos() * half_sine(other.lon - self.lon);
        2.0 * EARTH_RADIUS * a.sqrt().min(1.0).asin()
    }
}

impl GeoBoundingBox {
    /// The open intervals of longitudes that the box spans: two when it crosses the 180th meridian.
    fn longitudes(&self) -> [(f64, f64); 2] {
        let (west, east) = (self.top_left.lon, self.bottom_right.lon);
        if west > east {
            [(west, f64::INFINITY), (f64::NEG_INFINITY, east)]
        } else {
            [(west, east); 2]
        }
    }

    fn contains(&self, point: GeoPoint) -> bool {
        self.bottom_right.lat < point.lat
            && point.lat < self.top_left.lat
            && self
                .longitudes()
                .iter()
                .any(|&(west, east)| west < point.lon && point.lon < east)
    }

    pub(super) fn check(&self, place: &Place<'_>) -> Result<(), FilterError> {
        self.top_left.check(&place.key("top_left"))?;
        self.bottom_right.check(&place.key("bottom_right"))
    }
}

impl GeoRadius {
    pub(super) fn check(&self, place: &Place<'_>) -> Result<(), FilterError> {
        if !self.radius.is_finite() {
            let problem = format!("expected metres, found {}", self.radius);
            return Err(place.key("radius").invalid(problem));
        }
        self.center.check(&place.key("center"))
    }
}

impl Area {
    /// Whether the position is inside; no area holds its own edge.
    pub(super) fn contains(&self, point: GeoPoint) -> bool {
        match self {
            Self::Box(area) => area.contains(point),
            Self::Circle(area) => area.center.distance(point) < area.radius,
            Self::Polygon(area) => area.contains(point),
        }
    }
}

#[cfg(test)]
mod tests;
