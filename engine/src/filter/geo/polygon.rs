//! Polygons in the plane of longitude and latitude.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{GeoPoint, orientation::side};
use crate::{
    filter::error::{FilterError, Place},
    limits::{MAX_POLYGON_POINTS, MAX_POLYGON_RINGS},
};

/// What [`MAX_POLYGON_POINTS`] limits.
pub(in crate::filter) const POLYGON_POINTS: &str = "points of a polygon";
/// What [`MAX_POLYGON_RINGS`] limits.
pub(in crate::filter) const POLYGON_RINGS: &str = "rings of a polygon";

/// Fewer points are no ring: three corners, and the first one again.
const SMALLEST_RING: usize = 4;

/// The positions inside of a ring and outside of every ring within it, on none of them. Longitude and latitude count as
/// coordinates of a plane: edges are straight there, and none crosses the 180th meridian. A ring that winds around a
/// position, in whichever direction, has it inside.
#[derive(Debug, Clone, PartialEq)]
pub struct GeoPolygon {
    /// The outer ring: at least 4 points, the last equal to the first.
    pub exterior: Vec<GeoPoint>,
    /// The rings of holes, of the same form.
    pub interiors: Vec<Vec<GeoPoint>>,
}

impl GeoPolygon {
    /// All edges, ring after ring.
    pub(super) fn edges(&self) -> impl Iterator<Item = Edge> {
        let rings = std::iter::once(&self.exterior).chain(&self.interiors);
        rings.zip(0..).flat_map(|(points, ring)| edges(points, ring))
    }

    pub(super) fn contains(&self, point: GeoPoint) -> bool {
        position(edges(&self.exterior, EXTERIOR), point) == Position::Inside
            && self
                .interiors
                .iter()
                .all(|ring| position(edges(ring, EXTERIOR + 1), point) == Position::Outside)
    }

    /// Points of all rings.
    pub(in crate::filter) fn points(&self) -> usize {
        let interiors = self.interiors.iter().map(Vec::len);
        self.exterior.len() + interiors.sum::<usize>()
    }

    /// Whether the rings are rings of positions on the Earth, and no more than there may be; `place` is the polygon's.
    pub(in crate::filter) fn check(&self, place: &Place<'_>) -> Result<(), FilterError> {
        let interiors = place.key("interiors");
        interiors.within(POLYGON_RINGS, MAX_POLYGON_RINGS, self.interiors.len() + 1)?;
        place.within(POLYGON_POINTS, MAX_POLYGON_POINTS, self.points())?;
        check_ring(&self.exterior, &place.key("exterior"))?;
        for (number, ring) in self.interiors.iter().enumerate() {
            check_ring(ring, &interiors.index(number))?;
        }
        Ok(())
    }
}

fn check_ring(ring: &[GeoPoint], place: &Place<'_>) -> Result<(), FilterError> {
    let place = place.key("points");
    for (number, point) in ring.iter().enumerate() {
        point.check(&place.index(number))?;
    }
    if ring.len() < SMALLEST_RING {
        return Err(place.invalid(format!(
            "expected a ring of {SMALLEST_RING} points or more, found {}",
            ring.len()
        )));
    }
    if ring.first() != ring.last() {
        return Err(place.invalid("expected a ring whose last point is its first"));
    }
    Ok(())
}

/// The number of the outer ring.
const EXTERIOR: u32 = 0;

/// An edge, and the number of the ring that it is of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    ring: u32,
    pub(super) from: GeoPoint,
    pub(super) to: GeoPoint,
}

fn edges(points: &[GeoPoint], ring: u32) -> impl Iterator<Item = Edge> {
    points
        .array_windows()
        .map(move |&[from, to]| Edge { ring, from, to })
}

/// Some edges of a polygon, or all. However many such choices there are, the edges are held once.
#[derive(Debug, Clone)]
pub(in crate::filter) struct Edges {
    /// Ring after ring.
    all: Rc<[Edge]>,
    /// The numbers of those that are chosen, ascending.
    chosen: Rc<[u32]>,
}

impl Edges {
    /// All of them.
    pub(super) fn of(area: &GeoPolygon) -> Self {
        let all: Rc<[Edge]> = area.edges().collect();
        let chosen = (0_u32..).take(all.len()).collect();
        Self { all, chosen }
    }

    pub(super) fn len(&self) -> usize {
        self.chosen.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Edge> {
        let edge = move |number: &u32| self.all.get(*number as usize).copied();
        self.chosen.iter().filter_map(edge)
    }

    /// Those of which `is_wanted` says so. Where these are more than three in four, all of them, which takes no memory.
    pub(super) fn choose(&self, is_wanted: impl Fn(&Edge) -> bool) -> Self {
        let is_chosen = |number: &u32| self.all.get(*number as usize).is_some_and(&is_wanted);
        let mut chosen = Vec::new();
        for number in self.chosen.iter().copied().filter(is_chosen) {
            if chosen.len() >= self.len() * 3 / 4 {
                return self.clone();
            }
            chosen.push(number);
        }
        Self {
            all: self.all.clone(),
            chosen: chosen.into(),
        }
    }

    /// Whether the polygon contains a point that is on none of its edges. Of these, those that do not pass the point on its east may
    /// be missing.
    pub(super) fn surround(&self, point: GeoPoint) -> bool {
        let mut edges = self.iter().peekable();
        let mut is_inside = false;
        while let Some(&Edge { ring, .. }) = edges.peek() {
            let mut own = std::iter::from_fn(|| edges.next_if(|edge| edge.ring == ring));
            let is_outside = position(&mut own, point) == Position::Outside;
            // What was not looked at is of the same ring.
            own.for_each(drop);
            match (ring, is_outside) {
                (EXTERIOR, _) => is_inside = !is_outside,
                (_, true) => {}
                (_, false) => return false,
            }
        }
        is_inside
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Inside,
    Outside,
    OnEdge,
}

/// Where a point is to a ring, by the ring's winding number around it: edges that pass it on its east are counted,
/// those that go north against those that go south.
fn position(ring: impl Iterator<Item = Edge>, point: GeoPoint) -> Position {
    let mut winding = 0_i32;
    for Edge { from: a, to: b, .. } in ring {
        let is_level = a.lat.min(b.lat) <= point.lat && point.lat <= a.lat.max(b.lat);
        if !is_level {
            continue;
        }
        let side = side(a, b, point);
        if side == Ordering::Equal && a.lon.min(b.lon) <= point.lon && point.lon <= a.lon.max(b.lon) {
            return Position::OnEdge;
        }
        // An edge has its southern end and not its northern, so that one corner is passed once.
        if a.lat <= point.lat && point.lat < b.lat && side == Ordering::Greater {
            winding += 1;
        } else if b.lat <= point.lat && point.lat < a.lat && side == Ordering::Less {
            winding -= 1;
        }
    }
    match winding {
        0 => Position::Outside,
        _ => Position::Inside,
    }
}
