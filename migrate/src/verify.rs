//! Both sides, side by side in the order of ids; and making them equal.

use std::sync::Arc;

use vdb::PointId;

use crate::checksum::Checksum;
use crate::compare::difference;
use crate::error::Result;
use crate::journal::Entry;
use crate::options::Verification;
use crate::pages::{Pages, SliceOf};
use crate::plan::Part;
use crate::point::Point;
use crate::report::Verified;
use crate::sides::Sides;
use crate::store::Store;
use crate::watch::{Event, Phase};
use crate::write::Writer;

/// How many differences are told in words.
const TOLD: usize = 10;

/// Compares counts, and points as far as asked for.
pub(crate) async fn verify<S: Store, T: Store>(
    sides: &Sides<S, T>,
    part: &Part,
    entry: &Entry,
    verification: Verification,
) -> Result<Verified> {
    let source_points = sides.count(&*sides.source, &part.name).await?;
    let mut found = Verified {
        source_points,
        source_lost: part
            .points
            .max(entry.acknowledged())
            .saturating_sub(source_points),
        target_points: sides.count(&*sides.target, &part.target).await?,
        more_allowed: entry.added_to,
        ..Verified::default()
    };
    let slice = match verification {
        Verification::None => return Ok(found),
        Verification::Full => None,
        Verification::Sample(points) => {
            let total = found.source_points.div_ceil(points.max(1));
            let total = u32::try_from(total).unwrap_or(u32::MAX);
            if total > 1 && !(sides.source_slices && sides.target_slices) {
                sides
                    .watch
                    .remark("a server older than 1.19 knows no samples: all points are compared");
                None
            } else {
                Some(SliceOf { index: 0, total })
            }
        }
    };
    let total = slice.map_or(1, |slice| slice.total);
    sides.watch.tell(Event::Begun {
        collection: part.name.clone(),
        phase: Phase::Verify,
        points: found.source_points / u64::from(total.max(1)),
        done: 0,
    });
    let compared = compare(sides, part, slice, &mut found, None).await;
    sides.watch.tell(Event::Ended);
    compared.map(|()| found)
}

/// What it took to make both sides equal.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Repaired {
    pub(crate) copied: u64,
    pub(crate) deleted: u64,
    /// Of those that were copied, those with a number that may have lost its last digits on the way.
    pub(crate) rounded: u64,
}

/// Copies what the target does not have or has otherwise, and deletes what the source does not have.
pub(crate) async fn sync<S: Store, T: Store>(sides: &Sides<S, T>, part: &Part) -> Result<Repaired> {
    sides.watch.tell(Event::Begun {
        collection: part.name.clone(),
        phase: Phase::Copy,
        points: part.points,
        done: 0,
    });
    let mut repairs = Repairs {
        writer: Writer::new(
            sides.target.clone(),
            &part.target,
            part.target_limits.1,
            sides.options.clone(),
            sides.watch.clone(),
        ),
        points: Vec::new(),
        bytes: 0,
        ids: Vec::new(),
        done: Repaired::default(),
    };
    let outcome = compare(sides, part, None, &mut Verified::default(), Some(&mut repairs)).await;
    let rest = repairs.flush().await;
    sides.watch.tell(Event::Ended);
    outcome?;
    rest?;
    Ok(repairs.done)
}

/// What is to be written and deleted at the target.
struct Repairs<T> {
    writer: Writer<T>,
    points: Vec<Point>,
    bytes: usize,
    ids: Vec<PointId>,
    done: Repaired,
}

impl<T: Store> Repairs<T> {
    fn copy(&mut self, rounds: bool, point: Point) {
        self.done.rounded += u64::from(rounds);
        self.bytes += point.bytes;
        self.points.push(point);
    }

    /// Whether there is enough for a call.
    fn is_full(&self, bytes: usize, points: u32) -> bool {
        self.bytes >= bytes || self.points.len().max(self.ids.len()) >= points as usize
    }

    async fn flush(&mut self) -> Result<()> {
        let (points, ids) = (std::mem::take(&mut self.points), std::mem::take(&mut self.ids));
        self.bytes = 0;
        let copied = points.len() as u64;
        self.writer.upsert(points).await?;
        self.done.copied += copied;
        self.writer.delete(&ids).await?;
        self.done.deleted += ids.len() as u64;
        Ok(())
    }
}

/// Points in the order of their ids, one at a time.
struct Cursor<S> {
    pages: Pages<S>,
    page: std::iter::Peekable<std::vec::IntoIter<Point>>,
}

impl<S: Store> Cursor<S> {
    fn new<A: Store, B: Store>(
        sides: &Sides<A, B>,
        store: Arc<S>,
        collection: &str,
        slice: Option<SliceOf>,
        most: Option<u32>,
    ) -> Self {
        Cursor {
            pages: Pages::new(
                store,
                collection,
                slice,
                most,
                sides.options.clone(),
                sides.watch.clone(),
            ),
            page: Vec::new().into_iter().peekable(),
        }
    }

    /// Makes sure that the next point is there, if there is one.
    async fn fill(&mut self) -> Result<()> {
        if self.page.peek().is_none()
            && let Some(points) = self.pages.next().await?
        {
            self.page = points.into_iter().peekable();
        }
        Ok(())
    }

    fn id(&mut self) -> Option<PointId> {
        self.page.peek().map(|point| point.id)
    }
}

async fn compare<S: Store, T: Store>(
    sides: &Sides<S, T>,
    part: &Part,
    slice: Option<SliceOf>,
    found: &mut Verified,
    mut repairs: Option<&mut Repairs<T>>,
) -> Result<()> {
    let (most_here, most_there) = (part.settings.limits().0, part.target_limits.0);
    let mut here = Cursor::new(sides, sides.source.clone(), &part.name, slice, most_here);
    let mut there = Cursor::new(sides, sides.target.clone(), &part.target, slice, most_there);
    let (mut here_sum, mut there_sum) = (Checksum::default(), Checksum::default());
    let mut untold: u64 = 0;
    loop {
        let (a, b) = tokio::join!(here.fill(), there.fill());
        a.and(b)?;
        let (only_here, only_there) = match (here.id(), there.id()) {
            (None, None) => break,
            (Some(a), Some(b)) => (a < b, b < a),
            (a, b) => (a.is_some(), b.is_some()),
        };
        let source = if only_there { None } else { here.page.next() };
        let target = if only_here { None } else { there.page.next() };
        if let Some(point) = &source {
            here_sum.add(&part.schema, point);
            untold += 1;
        }
        if let Some(point) = &target
            && !(found.more_allowed && source.is_none())
        {
            there_sum.add(&part.schema, point);
        }
        settle(sides, part, found, repairs.as_deref_mut(), (source, target))?;
        if let Some(repairs) = repairs.as_deref_mut()
            && repairs.is_full(sides.options.batch_bytes, sides.options.batch_points)
        {
            repairs.flush().await?;
        }
        // Between two pages, not at every point.
        if here.page.peek().is_none() || there.page.peek().is_none() {
            sides.watch.tell(Event::Advanced(std::mem::take(&mut untold)));
            sides.go_on()?;
        }
    }
    sides.watch.tell(Event::Advanced(untold));
    (found.source_checksum, found.target_checksum) = (here_sum.to_string(), there_sum.to_string());
    Ok(())
}

/// Notes what became of one id, and what is to be done about it.
fn settle<S: Store, T: Store>(
    sides: &Sides<S, T>,
    part: &Part,
    found: &mut Verified,
    repairs: Option<&mut Repairs<T>>,
    (source, target): (Option<Point>, Option<Point>),
) -> Result<()> {
    let mut tell = |text: String| {
        if found.differences.len() < TOLD {
            found.differences.push(text);
        }
    };
    match (source, target) {
        (Some(source), Some(target)) => {
            found.compared += 1;
            let exact = || {
                let differs = sides.are_exact() && source.exact != target.exact;
                differs.then(|| "integers of 2^63 and more".to_owned())
            };
            if let Some(how) = difference(&part.schema, &source, &target).or_else(exact) {
                found.differing += 1;
                tell(format!("point {}: {how}", source.id));
                if let Some(repairs) = repairs {
                    repairs.copy(sides.rounds(&part.name, &source)?, source);
                }
            }
        }
        (Some(source), None) => {
            found.compared += 1;
            found.missing += 1;
            tell(format!("point {} is missing", source.id));
            if let Some(repairs) = repairs {
                repairs.copy(sides.rounds(&part.name, &source)?, source);
            }
        }
        (None, Some(target)) => {
            found.extra += 1;
            if !found.more_allowed {
                tell(format!("point {} is there and should not be", target.id));
            }
            if let Some(repairs) = repairs {
                repairs.ids.push(target.id);
            }
        }
        (None, None) => {}
    }
    Ok(())
}
