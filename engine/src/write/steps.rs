//! Operations that may touch more points than one record should hold: a step at a time.
//!
//! ```text
//! names, or a page of what matches -> the points of one step -> sequencer: asked once more, one record -> the next ones
//! ```
//!
//! Points are looked for as a reader does, beside writers, in the order of their ids. Each step names those that were found and
//! asks its filter again under the sequencer, for those that have changed meanwhile.

use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use vdb_index::Control;
use vdb_storage::PointId;
use vdb_sys::sync::MutexGuard;

use crate::config::{Durability, Options};
use crate::core::Core;
use crate::error::{Error, Result};
use crate::filter::CompiledFilter;
use crate::limits::MAX_BATCH_BYTES;
use crate::query::allowance::Allowance;
use crate::query::scroll;
use crate::shared::Shared;
use crate::tables::View;
use crate::write::batch::{Entry, Operation};
use crate::write::prepare::{Prepared, prepare};
use crate::write::resolve::Room;
use crate::write::sequencer::Step;
use crate::write::ticket::{Ticket, WriteResult};

/// Points of one step: few enough that other writers hardly wait for it.
pub(crate) const TOGETHER: usize = 4_096;

/// Bytes that the effects of a step may take, where the write buffer has room for more.
const STEP_BYTES: usize = 16 << 20;

/// Between two looks at whether it is an operation's turn, or its caller wants it no more.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// How much one step takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepSize {
    /// Points, at most.
    pub(crate) points: usize,
    /// Bytes of effects, at most; those of a single point may be more.
    pub(crate) bytes: usize,
}

impl StepSize {
    pub(crate) fn new(options: &Options) -> Self {
        StepSize {
            points: TOGETHER,
            bytes: STEP_BYTES.min(options.memtable_share()),
        }
    }
}

/// Carries out an operation on those of its points that exist, in as many steps as they take. Each step is in the log in full or
/// not at all; the ticket is that of the last one, with the result of all.
///
/// # Errors
/// [`Error::Unfinished`] when a step fails and those before it have not. Otherwise nothing was changed.
pub(crate) fn in_steps(
    shared: &Arc<Shared>,
    core: &Arc<Core>,
    operation: Operation,
    size: StepSize,
    durability: Durability,
    control: &Control<'_>,
) -> Result<Ticket> {
    if matches!(operation, Operation::Upsert { .. }) {
        // Whole points are as many as their caller holds, and nothing is added to them.
        return shared.submit(
            vec![(core.clone(), Entry::OnExisting(operation))],
            durability,
            control,
        );
    }
    let mut steps = Steps::new(shared, core, size, durability, control);
    let prepared = prepare(&core.tables().schema, operation)?;
    let outcome = steps.take_turns(true).run(&prepared).and_then(|()| {
        // One that found nothing has a place in the order all the same.
        match steps.last {
            Some(_) => Ok(()),
            None => steps.place(&prepared, 0..0, &[]),
        }
    });
    steps.finish(outcome)
}

/// The steps of one operation.
pub(crate) struct Steps<'a> {
    shared: &'a Arc<Shared>,
    core: &'a Arc<Core>,
    size: StepSize,
    durability: Durability,
    control: &'a Control<'a>,
    /// Points of the next step: fewer than may be where these took too many bytes.
    together: usize,
    takes_turns: bool,
    /// Held once it is clear that there are several steps.
    turn: Option<MutexGuard<'a, ()>>,
    done: WriteResult,
    last: Option<Ticket>,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(
        shared: &'a Arc<Shared>,
        core: &'a Arc<Core>,
        size: StepSize,
        durability: Durability,
        control: &'a Control<'a>,
    ) -> Self {
        Steps {
            shared,
            core,
            size,
            durability,
            control,
            together: size.points,
            takes_turns: false,
            turn: None,
            done: WriteResult::default(),
            last: None,
        }
    }

    /// Whether others of several steps wait until this one is through, and the other way round: of two that set the same field of
    /// all points one then comes last for all of them.
    pub(crate) fn take_turns(&mut self, takes_turns: bool) -> &mut Self {
        self.takes_turns = takes_turns;
        self
    }

    /// Takes the points that an operation names or that its filter tells, of whole points none.
    pub(crate) fn run(&mut self, prepared: &Prepared) -> Result<()> {
        match (prepared.filter(), prepared.named()) {
            (Some(filter), _) => self.run_found(prepared, filter),
            (None, Some(named)) => {
                if named > self.size.points {
                    self.take_turn()?;
                }
                self.run_some(named, |steps, range| steps.place(prepared, range, &[]))
            }
            (None, None) => Ok(()),
        }
    }

    fn run_found(&mut self, prepared: &Prepared, filter: &CompiledFilter) -> Result<()> {
        let mut from = None;
        loop {
            let (ids, next) = self.page(from, filter, prepared.copies())?;
            if next.is_some() && self.take_turn()? {
                // Another may have made other points match meanwhile.
                continue;
            }
            self.run_some(ids.len(), |steps, range| {
                steps.place(prepared, 0..0, ids.get(range).unwrap_or_default())
            })?;
            if next.is_none() {
                return Ok(());
            }
            from = next;
        }
    }

    /// Calls `place` for parts of `all` points, as large as there is room for.
    fn run_some(
        &mut self,
        all: usize,
        mut place: impl FnMut(&mut Self, Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let mut at = 0;
        while at < all {
            let end = all.min(at + self.together);
            match place(self, at..end) {
                Ok(()) => {
                    at = end;
                    self.together = self.size.points.min(self.together + self.together.div_ceil(16));
                }
                Err(Error::Limit { what: Room::WHAT, .. }) if end - at > 1 => {
                    self.take_turn()?;
                    self.together = (end - at) / 2;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until no other operation is between its steps; false if that was so already.
    fn take_turn(&mut self) -> Result<bool> {
        if !self.takes_turns || self.turn.is_some() {
            return Ok(false);
        }
        loop {
            if let Some(turn) = self.core.stepping.try_lock() {
                self.turn = Some(turn);
                return Ok(true);
            }
            if self.control.is_cancelled() {
                return Err(Error::Cancelled);
            }
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// The next ids that match from an id on, and where the page after them starts. What is going to be copied of them is compared
    /// with its checksums here, while nobody waits; what is wrong with it is told by the step that would copy it.
    fn page(
        &self,
        from: Option<PointId>,
        filter: &CompiledFilter,
        copies: bool,
    ) -> Result<(Vec<PointId>, Option<PointId>)> {
        let most = self.shared.options.answer_bytes;
        let allowance = Allowance::new(*self.control, "finding the points of a write", most);
        let filter = Some(filter).filter(|filter| !filter.is_unconditional());
        let view = self.view()?;
        let page = scroll::page(&view, from, filter, self.size.points + 1, &allowance)?;
        let next = page.get(self.size.points).map(|(id, _)| *id);
        for (_, located) in page.iter().take(self.size.points).filter(|_| copies) {
            allowance.beat()?;
            let _ = located.sound_payload();
            for (slot, _) in view.tables.schema.vectors() {
                let _ = located.sound_vector(slot);
            }
        }
        let ids = page.into_iter().take(self.size.points).map(|(id, _)| id);
        Ok((ids.collect(), next))
    }

    /// All that is in the log, which readers may not see yet.
    fn view(&self) -> Result<View> {
        let _sequencer = self.shared.sequencer.lock();
        Ok(View {
            tables: self.core.tables(),
            lsn: self.shared.wal()?.last_lsn(),
        })
    }

    /// One step: of what the operation names the range, of what its filter tells those of the ids that still match.
    fn place(&mut self, prepared: &Prepared, named: Range<usize>, ids: &[PointId]) -> Result<()> {
        let most = match named.len().max(ids.len()) {
            0 | 1 => MAX_BATCH_BYTES,
            _ => self.size.bytes,
        };
        let step = Step::Write(prepared.part(named, ids)?, true);
        let step = vec![(self.core.clone(), step)];
        let ticket = self.shared.place(step, most, self.durability, self.control)?;
        let result = ticket.result();
        self.done.sequences.extend(&result.sequences);
        self.done.points += result.points;
        self.done.missing = self.done.missing.or(result.missing);
        // Nobody waits for the one before: records become durable, and are seen, in the order of the log.
        self.last = Some(ticket);
        Ok(())
    }

    /// The ticket of the last step, with what all of them did.
    pub(crate) fn finish(self, outcome: Result<()>) -> Result<Ticket> {
        match (self.last, outcome) {
            (Some(mut ticket), Ok(())) => {
                ticket.result = self.done;
                Ok(ticket)
            }
            (Some(ticket), Err(source)) => {
                // What it says was changed is there as the durability says, unless the log itself has failed.
                let source = ticket.wait_visible().err().unwrap_or(source);
                Err(Error::Unfinished {
                    points: self.done.points,
                    source: Box::new(source),
                })
            }
            (None, outcome) => Err(outcome.err().unwrap_or(Error::Cancelled)),
        }
    }

    /// How many points were changed, once readers see it.
    pub(crate) fn seen(self) -> Result<u64> {
        if let Some(ticket) = self.last {
            ticket.wait_visible()?;
        }
        Ok(self.done.points)
    }
}

#[cfg(test)]
mod tests;
