//! The points whose texts say most of what a query says, by BM25.
//!
//! Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009): each token of the query
//! counts with `ln(1 + (n - df + 0.5) / (df + 0.5))`, where `df` of the `n` points with tokens have it, times
//! `tf (k1 + 1) / (tf + k1 (1 - b + b len / avg))`, where a point has it `tf` times among its `len` tokens, and `avg` is what
//! `len` is on average. All of that is of the points that the reader sees, whatever the filter.
//!
//! Segments with an index are asked for the rows of each token; points of other tables are read. Which ones have an index
//! makes no difference to a score: a point's sum goes over the tokens in the order of their bytes.
//!
//! | file | what |
//! |---|---|
//! | `prepared.rs` | the query, checked and cut |
//! | `score.rs` | totals, and scores of counts |
//! | `unindexed.rs`, `indexed.rs` | points that are read; points that an index knows |
//! | `best.rs` | the best of them |

mod best;
mod indexed;
mod prepared;
mod score;
mod unindexed;

use crate::error::Result;
use crate::query::allowance::Allowance;
use crate::query::matching::{Horizon, memtable_row_matches};
use crate::query::nearest::Hit;
use crate::query::rows::SegmentRows;
use crate::tables::{Located, View};

use best::Best;
use indexed::{Failure, count_in_index, score_index};
use prepared::{Prepared, prepare};
use score::{Totals, Weights};
use unindexed::{read_memtable, read_segment};

pub(crate) use best::Eligible;
pub(crate) use prepared::TextQuery;

/// The best `want` points with a token of the query, in order.
pub(crate) fn best(
    view: &View,
    query: TextQuery<'_>,
    eligible: Eligible<'_>,
    want: usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<Hit>> {
    let query = prepare(&view.tables.schema, query)?;
    if query.tokens.is_empty() {
        return Ok(Vec::new());
    }
    loop {
        if let Some(found) = attempt(view, &query, eligible, want, allowance)? {
            return Ok(found);
        }
        // An index turned out damaged, and is not asked again.
    }
}

/// One go at it; `None` when an index is damaged.
fn attempt(
    view: &View,
    query: &Prepared<'_>,
    eligible: Eligible<'_>,
    want: usize,
    allowance: &Allowance<'_>,
) -> Result<Option<Vec<Hit>>> {
    let mut totals = Totals {
        points_with: vec![0; query.tokens.len()],
        ..Totals::default()
    };
    let mut held = 0;
    let mut in_memory = Vec::new();
    for table in view.tables.memtables() {
        let rows = read_memtable(view, query, table, &mut totals, &mut held, allowance)?;
        in_memory.push((table, rows));
    }
    let mut of_segments = Vec::new();
    for segment in &view.tables.segments {
        allowance.check()?;
        let rows = match segment.index(query.number) {
            Some(index) => match count_in_index(view, query, segment, index, &mut totals, allowance) {
                Ok(()) => None,
                Err(Failure::Other(error)) => return Err(error),
                Err(Failure::Index) => {
                    segment.set_index_damaged();
                    allowance.give(held);
                    return Ok(None);
                }
            },
            None => Some(read_segment(
                view,
                query,
                segment,
                &mut totals,
                &mut held,
                allowance,
            )?),
        };
        of_segments.push((segment, rows));
    }

    let weights = Weights::new(query, &totals);
    let mut best = Best::new(want, allowance);
    let schema = &view.tables.schema;
    for (table, rows) in in_memory {
        for read in rows {
            let Some(row) = table.row(read.row) else { continue };
            let score = weights.score(read.length, read.terms());
            best.offer(score, row.id, eligible, |at: &mut dyn FnMut(Located)| {
                let matches = memtable_row_matches(schema, row, eligible.filter, allowance)?;
                if matches {
                    at(Located::Memtable(table.clone(), read.row));
                }
                Ok(())
            })?;
        }
    }
    for (segment, rows) in of_segments {
        let horizon = Horizon::At(view.lsn);
        let matching = SegmentRows::new(schema, segment, horizon, eligible.filter, allowance)?;
        let mut offer = |row: u32, score: f32| {
            let Some(id) = segment.points.id(row) else {
                return Ok(());
            };
            best.offer(score, id, eligible, |at| {
                if matching.contains(row)? {
                    at(Located::Segment(segment.clone(), row));
                }
                Ok(())
            })
        };
        match rows {
            Some(rows) => {
                for read in rows {
                    offer(read.row, weights.score(read.length, read.terms()))?;
                }
            }
            None => match score_index(query, segment, &weights, allowance, &mut offer) {
                Ok(()) => {}
                Err(Failure::Other(error)) => return Err(error),
                Err(Failure::Index) => {
                    segment.set_index_damaged();
                    allowance.give(held);
                    best.give_up();
                    return Ok(None);
                }
            },
        }
    }
    allowance.give(held);
    Ok(Some(best.finish()))
}
