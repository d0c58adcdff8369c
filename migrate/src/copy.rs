//! All points of a collection, several slices at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::{JoinHandle, JoinSet};
use vdb::PointId;

use crate::error::{MigrateError, Result};
use crate::journal::{Entry, Journal, Stage};
use crate::pages::{Pages, SliceOf};
use crate::plan::Part;
use crate::sides::Sides;
use crate::store::Store;
use crate::watch::{Event, Phase};
use crate::write::Writer;

/// Pages of a slice that are being written while the next one is read.
const FLYING: usize = 2;

/// Copies what the journal does not say to be there, and gives the points that were written in this run. Ends where nothing is
/// half done, with the journal written, also where it fails.
pub(crate) async fn copy<S: Store, T: Store>(
    sides: &Sides<S, T>,
    journal: &Journal,
    part: &Part,
    entry: &Entry,
) -> Result<u64> {
    sides.watch.tell(Event::Begun {
        collection: part.name.clone(),
        phase: Phase::Copy,
        points: part.points,
        done: entry.acknowledged(),
    });
    let copied = Arc::new(AtomicU64::new(0));
    let total = u32::try_from(entry.slices.len()).unwrap_or(u32::MAX);
    let mut slices = JoinSet::new();
    for (index, slice) in (0..total).zip(&entry.slices) {
        if slice.done {
            continue;
        }
        let pages = Pages::new(
            sides.source.clone(),
            &part.name,
            Some(SliceOf { index, total }),
            part.settings.limits().0,
            sides.options.clone(),
            sides.watch.clone(),
        );
        let writer = Writer::new(
            sides.target.clone(),
            &part.target,
            part.target_limits.1,
            sides.options.clone(),
            sides.watch.clone(),
        );
        slices.spawn(copy_slice(
            sides.clone(),
            pages.after(slice.last),
            writer,
            Ledger {
                journal: journal.clone(),
                collection: part.name.clone(),
                slice: index as usize,
                copied: copied.clone(),
            },
        ));
    }
    let mut first = None;
    while let Some(outcome) = slices.join_next().await {
        let failed = match outcome {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error,
            Err(error) => gone(&error),
        };
        // The others end where nothing of theirs is half done.
        sides.watch.fail();
        first.get_or_insert(failed);
    }
    sides.watch.tell(Event::Ended);
    journal.flush()?;
    if let Some(error) = first {
        return Err(error);
    }
    // Whoever asks for the end may take it back: what counts is whether a slice heard of it.
    if journal.entry(&part.name).is_none_or(|entry| !entry.is_copied()) {
        return Err(MigrateError::stopped());
    }
    journal.change(&part.name, true, |entry| entry.stage = Stage::Copied)?;
    Ok(copied.load(Ordering::Relaxed))
}

/// Where a slice says how far it is.
struct Ledger {
    journal: Journal,
    collection: String,
    slice: usize,
    copied: Arc<AtomicU64>,
}

impl Ledger {
    fn acknowledged(&self, page: &Page) -> Result<()> {
        self.copied.fetch_add(page.points, Ordering::Relaxed);
        self.journal.change(&self.collection, false, |entry| {
            if let Some(slice) = entry.slices.get_mut(self.slice) {
                slice.last = Some(page.last);
                slice.points += page.points;
                slice.rounded += page.rounded;
            }
        })
    }

    fn done(&self) -> Result<()> {
        self.journal.change(&self.collection, false, |entry| {
            if let Some(slice) = entry.slices.get_mut(self.slice) {
                slice.done = true;
            }
        })
    }
}

/// A page that is being written.
struct Page {
    last: PointId,
    points: u64,
    rounded: u64,
    written: JoinHandle<Result<()>>,
}

async fn copy_slice<S: Store, T: Store>(
    sides: Sides<S, T>,
    mut pages: Pages<S>,
    writer: Writer<T>,
    ledger: Ledger,
) -> Result<()> {
    let mut flying: VecDeque<Page> = VecDeque::new();
    // A page could not be written.
    let mut broken = false;
    let mut outcome = 'reading: loop {
        if sides.watch.asked_to_stop() {
            break Ok(false);
        }
        let points = match pages.next().await {
            Ok(Some(points)) => points,
            Ok(None) => break Ok(true),
            Err(error) => break Err(error),
        };
        let Some(last) = points.last().map(|point| point.id) else {
            continue;
        };
        let mut rounded = 0;
        for point in &points {
            match sides.rounds(&ledger.collection, point) {
                Ok(is_rounded) => rounded += u64::from(is_rounded),
                Err(error) => break 'reading Err(error),
            }
        }
        let (count, writer) = (points.len() as u64, writer.clone());
        flying.push_back(Page {
            last,
            points: count,
            rounded,
            written: tokio::spawn(async move { writer.upsert(points).await }),
        });
        if flying.len() > FLYING
            && let Some(page) = flying.pop_front()
            && let Err(error) = settle(&sides, &ledger, page).await
        {
            broken = true;
            break Err(error);
        }
    };
    for page in flying {
        if broken {
            // It may be written, and does not count: one before it is not.
            let _ = page.written.await;
        } else if let Err(error) = settle(&sides, &ledger, page).await {
            broken = true;
            outcome = outcome.and(Err(error));
        }
    }
    if outcome? {
        ledger.done()?;
    }
    Ok(())
}

/// Waits until a page is acknowledged, and notes it.
async fn settle<S: Store, T: Store>(sides: &Sides<S, T>, ledger: &Ledger, mut page: Page) -> Result<()> {
    match (&mut page.written).await {
        Ok(written) => written?,
        Err(error) => return Err(gone(&error)),
    }
    ledger.acknowledged(&page)?;
    sides.watch.tell(Event::Advanced(page.points));
    Ok(())
}

/// A task that ended without an answer.
fn gone(error: &tokio::task::JoinError) -> MigrateError {
    MigrateError::Call {
        doing: "copying".to_owned(),
        problem: format!("a task ended without an answer: {error}"),
    }
}
