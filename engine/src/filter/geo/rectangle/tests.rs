use proptest::prelude::*;

use super::{Area, CELL_LEVEL, GeoBoundingBox, GeoPoint, GeoRadius, Outline, Relation, Tile};
use crate::filter::geo::GeoPolygon;

fn point() -> impl Strategy<Value = GeoPoint> + Clone {
    let edge =
        |limit: f64| prop_oneof![4 => -limit..=limit, 1 => Just(-limit), 1 => Just(limit), 1 => -2.0..2.0];
    (edge(180.0), edge(90.0)).prop_map(|(lon, lat)| GeoPoint { lon, lat })
}

fn area() -> impl Strategy<Value = Area> {
    let ring = proptest::collection::vec(point(), 3..7).prop_map(|mut ring| {
        ring.push(ring[0]);
        ring
    });
    prop_oneof![
        (point(), point()).prop_map(|(top_left, bottom_right)| {
            Area::Box(GeoBoundingBox {
                top_left,
                bottom_right,
            })
        }),
        (point(), prop_oneof![0.0..3e7, 0.0..1e3])
            .prop_map(|(center, radius)| Area::Circle(GeoRadius { center, radius })),
        (ring.clone(), proptest::collection::vec(ring, 0..2))
            .prop_map(|(exterior, interiors)| Area::Polygon(GeoPolygon { exterior, interiors })),
    ]
}

/// The tiles around a position, from the Earth to its cell.
fn tiles(point: GeoPoint) -> Vec<Tile> {
    let cell = point.cell();
    let level = |level: u32| {
        let below = 2 * (CELL_LEVEL - level);
        let first = cell
            .checked_shr(below)
            .unwrap_or(0)
            .checked_shl(below)
            .unwrap_or(0);
        Tile { level, first }
    };
    (0..=CELL_LEVEL).map(level).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_of_a_tile_is_true_of_its_positions(area in area(), point in point()) {
        let whole = Outline::of(&area);
        let mut near = whole.clone();
        for tile in tiles(point) {
            let relation = whole.relation(tile);
            match relation {
                Relation::Inside => prop_assert!(area.contains(point), "{tile:?}"),
                Relation::Outside => prop_assert!(!area.contains(point), "{tile:?}"),
                Relation::Crosses => {}
            }
            // What larger tiles leave of it says the same.
            prop_assert_eq!(near.relation(tile), relation, "{:?}", tile);
            near = near.near(tile);
        }
    }

    #[test]
    fn a_position_is_in_the_rectangles_of_its_tiles_and_in_one_quarter_of_each(point in point()) {
        let tiles = tiles(point);
        for pair in tiles.windows(2) {
            prop_assert!(pair[0].quarters().contains(&pair[1]));
        }
        for tile in tiles {
            let rectangle = tile.rectangle();
            prop_assert!((rectangle.west..=rectangle.east).contains(&point.lon), "{tile:?} {rectangle:?}");
            prop_assert!((rectangle.south..=rectangle.north).contains(&point.lat), "{tile:?} {rectangle:?}");
        }
    }
}

#[test]
fn far_from_its_edge_an_area_is_known() {
    let at = |lon: f64, lat: f64| GeoPoint { lon, lat };
    let ring = vec![
        at(0.0, 0.0),
        at(10.0, 0.0),
        at(10.0, 10.0),
        at(0.0, 10.0),
        at(0.0, 0.0),
    ];
    for area in [
        Area::Box(GeoBoundingBox {
            top_left: at(0.0, 10.0),
            bottom_right: at(10.0, 0.0),
        }),
        Area::Circle(GeoRadius {
            center: at(5.0, 5.0),
            radius: 500_000.0,
        }),
        Area::Polygon(GeoPolygon {
            exterior: ring,
            interiors: Vec::new(),
        }),
    ] {
        let outline = Outline::of(&area);
        let relation = |lon: f64, lat: f64| outline.relation(Tile::of_cell(at(lon, lat).cell()));
        assert_eq!(relation(5.0, 5.0), Relation::Inside);
        assert_eq!(relation(15.0, 5.0), Relation::Outside);
        assert_eq!(relation(-175.0, -85.0), Relation::Outside);
        assert_eq!(outline.relation(Tile::EARTH), Relation::Crosses);
    }
}
