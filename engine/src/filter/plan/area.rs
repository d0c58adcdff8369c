//! The keys of an index of positions that lie in an area.

use std::{collections::VecDeque, ops::Range};

use vdb_index::{Result, postings::PostingsFile};

use crate::filter::geo::{Area, CELL_LEVEL, Outline, Relation, Tile};

/// A tile that the edge of the area crosses is split as long as it has more keys than this; then each is looked at.
const FEW: usize = 16;

/// Looks at edges of the area, at most: beyond, tiles that are crossed stay as they are, after one look at each that is left. Those
/// are quarters of tiles that were looked at twice, so that they take twice as many looks again at the most.
///
/// This bounds memory as well. A tile that is split has cost two looks at each edge that matters to it, and holds what is left of
/// them ([`Outline::near`]) in 1.5 bytes a look, 6.3 MB at the most. Its quarters take some 60 bytes each, 4 MB if none of them were
/// looked at; and the edges of the largest polygon 3 MB.
const MOST_LOOKS: usize = 1 << 22;

/// What a look at a tile or a key counts at least, however few edges the area has there: 16,384 of them are made before none are left.
const LEAST_COST: usize = 1 << 8;

/// Keys of an index, as ranges of their numbers, ascending.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Keys {
    /// Keys of which every position is in the area.
    pub(super) inside: Vec<Range<u32>>,
    /// Keys of which some positions may be.
    pub(super) crossed: Vec<Range<u32>>,
}

/// The keys of `index`, which is one of positions, that `area` has some position in common with. Reads keys, not rows.
///
/// # Errors
/// The index is damaged there.
pub(super) fn keys_within(area: &Area, index: &PostingsFile) -> Result<Keys> {
    let mut keys = Keys::default();
    let mut looks = MOST_LOOKS;
    let cost = |outline: &Outline<'_>| outline.cost().max(LEAST_COST);
    // From the largest tiles on, so that what is left at the end is small.
    let mut tiles = VecDeque::from([(Tile::EARTH, 0..index.keys(), Outline::of(area))]);
    while let Some((tile, within, around)) = tiles.pop_front() {
        if within.is_empty() {
            continue;
        }
        looks = looks.saturating_sub(cost(&around));
        match around.relation(tile) {
            Relation::Inside => keys.inside.push(within),
            Relation::Outside => {}
            Relation::Crosses if looks < around.cost() => keys.crossed.push(within),
            Relation::Crosses => {
                looks -= around.cost();
                let near = around.near(tile);
                if looks < cost(&near) * within.len().min(FEW) {
                    keys.crossed.push(within);
                } else if within.len() <= FEW || tile.level == CELL_LEVEL {
                    looks = looks.saturating_sub(cost(&near) * within.len());
                    for number in within {
                        match near.relation(Tile::of_cell(index.cell(number))) {
                            Relation::Inside => keys.inside.push(number..number + 1),
                            Relation::Crosses => keys.crossed.push(number..number + 1),
                            Relation::Outside => {}
                        }
                    }
                } else {
                    let mut rest = within;
                    let [_, others @ ..] = tile.quarters();
                    let mut quarter = Tile {
                        level: tile.level + 1,
                        ..tile
                    };
                    for next in others {
                        let end = index.first_cell_from(next.first, &rest)?;
                        tiles.push_back((quarter, rest.start..end, near.clone()));
                        rest.start = end;
                        quarter = next;
                    }
                    tiles.push_back((quarter, rest, near));
                }
            }
        }
    }
    join(&mut keys.inside);
    join(&mut keys.crossed);
    Ok(keys)
}

/// Sorts ranges that do not overlap, and makes one of those that are neighbours.
fn join(ranges: &mut Vec<Range<u32>>) {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, range| {
        let adjacent = range.end == next.start;
        if adjacent {
            range.end = next.end;
        }
        adjacent
    });
}
