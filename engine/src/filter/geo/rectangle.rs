//! How a rectangle of positions lies to an area, and the tiles of a quadtree over the Earth.
//!
//! A tile of level `n` is one of `4^n` equal rectangles of longitudes and latitudes. Those of level 32, at most 9.4 mm by
//! 4.7 mm, are the *cells* under which an index files positions: their numbers interleave the bits of latitude and
//! longitude (G. M. Morton, 1966), so that the cells of every tile are one range of numbers.

use std::cmp::Ordering;

use super::{
    Area, EARTH_RADIUS, GeoBoundingBox, GeoPoint, GeoRadius,
    orientation::side,
    polygon::{Edge, Edges},
};

/// The level of cells.
pub(in crate::filter) const CELL_LEVEL: u32 = 32;

/// Degrees by which a tile is taken to be larger on every side: far more than rounding moves its edges by.
const MARGIN: f64 = 1e-9;

/// Metres by which a distance may be wrong: on the other side of the Earth rounding costs some centimetres.
const SLACK: f64 = 1.0;

/// How the positions of a rectangle lie to an area. `Crosses` is said of any rectangle that is not known better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::filter) enum Relation {
    Inside,
    Outside,
    Crosses,
}

/// A closed rectangle.
#[derive(Debug, Clone, Copy)]
struct Rectangle {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

/// A tile by its first cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::filter) struct Tile {
    pub(in crate::filter) level: u32,
    pub(in crate::filter) first: u64,
}

impl GeoPoint {
    /// The number of the cell in which this position is.
    pub(crate) fn cell(self) -> u64 {
        // The numbers beyond the last, of the 180th meridian and the pole, saturate to it.
        let place = |share: f64| (share * 2_f64.powi(CELL_LEVEL as i32)) as u32;
        spread(place((self.lat + 90.0) / 180.0)) << 1 | spread(place((self.lon + 180.0) / 360.0))
    }
}

impl Tile {
    /// The whole Earth.
    pub(in crate::filter) const EARTH: Self = Self { level: 0, first: 0 };

    /// One cell.
    pub(in crate::filter) fn of_cell(cell: u64) -> Self {
        Self {
            level: CELL_LEVEL,
            first: cell,
        }
    }

    /// The four tiles that make up this one, which is no cell, in the order of their cells.
    pub(in crate::filter) fn quarters(self) -> [Self; 4] {
        let level = self.level + 1;
        let cells = 1 << (2 * CELL_LEVEL.saturating_sub(level));
        [0, 1, 2, 3].map(|number| Self {
            level,
            first: self.first + number * cells,
        })
    }

    fn rectangle(self) -> Rectangle {
        let share = |place: u32| f64::from(place) / 2_f64.powi(CELL_LEVEL as i32);
        let side = 0.5_f64.powi(self.level as i32);
        let west = share(gather(self.first)) * 360.0 - 180.0;
        let south = share(gather(self.first >> 1)) * 180.0 - 90.0;
        Rectangle {
            west: west - MARGIN,
            south: south - MARGIN,
            east: west + side * 360.0 + MARGIN,
            north: south + side * 180.0 + MARGIN,
        }
    }
}

/// The bits of a number at the even places.
fn spread(number: u32) -> u64 {
    let steps = [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ];
    let spread = |bits: u64, (shift, mask): (u32, u64)| (bits | bits << shift) & mask;
    steps.into_iter().fold(number.into(), spread)
}

/// The bits at the even places.
fn gather(bits: u64) -> u32 {
    let steps = [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ];
    let gather = |bits: u64, (shift, mask): (u32, u64)| (bits | bits >> shift) & mask;
    steps.into_iter().fold(bits & 0x5555_5555_5555_5555, gather) as u32
}

/// From so few edges none are chosen for smaller tiles.
const FEW_EDGES: usize = 3;

/// An area, as far as it matters to positions of a tile: of a polygon the edges by which they are told to be inside or not.
#[derive(Debug, Clone)]
pub(in crate::filter) enum Outline<'a> {
    Box(&'a GeoBoundingBox),
    Circle(&'a GeoRadius),
    Polygon(Edges),
}

impl<'a> Outline<'a> {
    /// All of an area.
    pub(in crate::filter) fn of(area: &'a Area) -> Self {
        match area {
            Area::Box(area) => Self::Box(area),
            Area::Circle(area) => Self::Circle(area),
            Area::Polygon(area) => Self::Polygon(Edges::of(area)),
        }
    }

    /// What matters of it to the positions of a tile within the one that it is of. Costs as much as a look at it, and takes
    /// memory for no more than three in four of its edges, four bytes each.
    pub(in crate::filter) fn near(&self, tile: Tile) -> Self {
        match self {
            Self::Polygon(edges) if edges.len() > FEW_EDGES => {
                let tile = tile.rectangle();
                Self::Polygon(edges.choose(|edge| is_level_or_east(edge, tile)))
            }
            Self::Polygon(_) | Self::Box(_) | Self::Circle(_) => self.clone(),
        }
    }

    /// How the positions of a tile lie to the area.
    pub(in crate::filter) fn relation(&self, tile: Tile) -> Relation {
        let rectangle = tile.rectangle();
        match self {
            Self::Box(area) => relation_to_box(area, rectangle),
            Self::Circle(area) => relation_to_circle(area, rectangle),
            Self::Polygon(edges) => relation_to_polygon(edges, rectangle),
        }
    }

    /// What a look at it costs, in looks at an edge.
    pub(in crate::filter) fn cost(&self) -> usize {
        match self {
            Self::Box(_) | Self::Circle(_) => 1,
            Self::Polygon(edges) => edges.len(),
        }
    }
}

/// Whether an edge may touch a tile, or pass positions in it on their east.
fn is_level_or_east(edge: &Edge, tile: Rectangle) -> bool {
    let Edge { from, to, .. } = edge;
    from.lat.max(to.lat) >= tile.south
        && from.lat.min(to.lat) <= tile.north
        && from.lon.max(to.lon) >= tile.west
}

fn relation_to_box(area: &GeoBoundingBox, tile: Rectangle) -> Relation {
    let (south, north) = (area.bottom_right.lat, area.top_left.lat);
    let longitudes = area.longitudes();
    if tile.north <= south
        || tile.south >= north
        || longitudes
            .iter()
            .all(|&(west, east)| tile.east <= west || tile.west >= east)
    {
        return Relation::Outside;
    }
    let is_inside = south < tile.south
        && tile.north < north
        && longitudes
            .iter()
            .any(|&(west, east)| west < tile.west && tile.east < east);
    if is_inside {
        Relation::Inside
    } else {
        Relation::Crosses
    }
}

/// No position of the tile is farther from its middle than along a meridian to its edge and then along its longest
/// parallel.
fn relation_to_circle(area: &GeoRadius, tile: Rectangle) -> Relation {
    let middle = GeoPoint {
        lon: tile.west.midpoint(tile.east),
        lat: tile.south.midpoint(tile.north),
    };
    let nearest_equator = 0_f64.clamp(tile.south, tile.north);
    let half = |from: f64, to: f64| ((to - from) / 2.0).to_radians();
    let along_parallel = half(tile.west, tile.east) * nearest_equator.to_radians().cos();
    let reach = EARTH_RADIUS * (half(tile.south, tile.north) + along_parallel) + SLACK;
    let distance = area.center.distance(middle);
    if distance + reach < area.radius {
        Relation::Inside
    } else if distance - reach >= area.radius {
        Relation::Outside
    } else {
        Relation::Crosses
    }
}

fn relation_to_polygon(edges: &Edges, tile: Rectangle) -> Relation {
    if edges.iter().any(|edge| may_touch(edge.from, edge.to, tile)) {
        return Relation::Crosses;
    }
    let corner = GeoPoint {
        lon: tile.west,
        lat: tile.south,
    };
    if edges.surround(corner) {
        Relation::Inside
    } else {
        Relation::Outside
    }
}

/// False only of an edge that has no position in common with the tile.
fn may_touch(a: GeoPoint, b: GeoPoint, tile: Rectangle) -> bool {
    if a.lon.max(b.lon) < tile.west
        || a.lon.min(b.lon) > tile.east
        || a.lat.max(b.lat) < tile.south
        || a.lat.min(b.lat) > tile.north
    {
        return false;
    }
    let sides = [
        (tile.west, tile.south),
        (tile.west, tile.north),
        (tile.east, tile.south),
        (tile.east, tile.north),
    ]
    .map(|(lon, lat)| side(a, b, GeoPoint { lon, lat }));
    !(sides.iter().all(|side| *side == Ordering::Greater) || sides.iter().all(|side| *side == Ordering::Less))
}

#[cfg(test)]
mod tests;
