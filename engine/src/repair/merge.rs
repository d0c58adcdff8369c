//! The newest state of each point, from all segments and the log, in the order of the ids.

use std::collections::btree_map;
use std::iter::Peekable;

use vdb_storage::PointId;

use super::collection::{Collection, Logged, State, Unbroken};
use super::losses::{Blame, Losses};
use super::segment::Segment;
use crate::layout::LOG_DIR;

/// Where one point is kept from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick<'a> {
    pub(super) id: PointId,
    pub(super) version: u64,
    pub(super) payload: &'a [u8],
    pub(super) vectors: VectorsOf<'a>,
}

/// Where its vectors are.
#[derive(Clone, Copy, Debug)]
pub(super) enum VectorsOf<'a> {
    Row(&'a Segment, u32),
    Log(&'a [Option<Vec<u8>>]),
}

/// A row of a segment.
#[derive(Clone, Copy)]
struct Row<'a> {
    segment: &'a Segment,
    row: u32,
    /// That of the row, or the greatest that it can have.
    version: u64,
    guessed: bool,
    dead: bool,
}

/// What is to become of a point.
enum Verdict<'a> {
    Kept(Pick<'a>),
    /// It was deleted.
    Gone,
    /// Its newest state cannot be read.
    Lost(Option<Blame>),
}

/// Gives the points that can be kept, ascending, and notes those that cannot.
pub(super) struct Merge<'a, 'l, 'c> {
    collection: &'a Collection,
    losses: &'l mut Losses<'c>,
    cursors: Vec<Cursor<'a>>,
    logged: Peekable<btree_map::Iter<'a, PointId, Logged>>,
    /// Points that are lost for want of something that no damage in a file explains.
    unexplained: Option<Blame>,
}

/// The rows of a segment that have ids, ascending.
struct Cursor<'a> {
    segment: &'a Segment,
    next: u32,
    head: Option<(PointId, u32)>,
}

impl Cursor<'_> {
    fn advance(&mut self) {
        let last = self.head.take();
        while self.next < self.segment.rows() {
            let row = self.next;
            self.next += 1;
            match self
                .segment
                .id(row)
                .filter(|&id| last.is_none_or(|(last, _)| last < id))
            {
                Some(id) => {
                    self.head = Some((id, row));
                    return;
                }
                None if self.segment.is_dead(row) => {}
                None => self.segment.note_unnamed(),
            }
        }
    }
}

impl<'a, 'l, 'c> Merge<'a, 'l, 'c> {
    pub(super) fn new(collection: &'a Collection, losses: &'l mut Losses<'c>) -> Self {
        let cursors = collection.segments.iter().map(|segment| {
            let mut cursor = Cursor {
                segment,
                next: 0,
                head: None,
            };
            cursor.advance();
            cursor
        });
        losses.about(Some(&collection.name));
        Merge {
            cursors: cursors.collect(),
            logged: collection.logged.iter().peekable(),
            collection,
            losses,
            unexplained: None,
        }
    }

    /// The next point that can be kept.
    pub(super) fn next(&mut self) -> Option<Pick<'a>> {
        loop {
            let in_segments = self.cursors.iter().filter_map(|c| Some(c.head?.0)).min();
            let in_log = self.logged.peek().map(|(id, _)| **id);
            let id = in_segments.into_iter().chain(in_log).min()?;
            let mut newest: Option<Row<'a>> = None;
            for cursor in &mut self.cursors {
                let Some((_, row)) = cursor.head.filter(|head| head.0 == id) else {
                    continue;
                };
                cursor.advance();
                newest = newer(newest, Row::of(cursor.segment, row));
            }
            let logged = match in_log {
                Some(first) if first == id => self.logged.next().map(|(_, logged)| logged),
                Some(_) | None => None,
            };
            match judge(self.collection, id, newest, logged) {
                Verdict::Kept(pick) => return Some(pick),
                Verdict::Gone => {}
                Verdict::Lost(blame) => self.lose(id, blame),
            }
        }
    }

    /// Fails when the caller has enough.
    pub(super) fn check(&mut self) -> crate::error::Result<()> {
        self.losses.check()
    }

    fn lose(&mut self, id: PointId, blame: Option<Blame>) {
        let (losses, collection) = (&mut *self.losses, self.collection);
        let blame = blame.unwrap_or_else(|| {
            *self.unexplained.get_or_insert_with(|| {
                let what = format!(
                    "points whose last change is in the log are not in {}, or not as they were written, or a record \
                     that may have changed them before is lost",
                    collection.dir
                );
                losses.note(LOG_DIR, what)
            })
        });
        self.losses.lose(blame, id);
    }
}

impl<'a> Row<'a> {
    /// None for a dead row whose version is lost: it says nothing of others.
    fn of(segment: &'a Segment, row: u32) -> Option<Row<'a>> {
        let (version, guessed) = segment.version(row);
        let dead = segment.is_dead(row);
        (!dead || !guessed).then_some(Row {
            segment,
            row,
            version,
            guessed,
            dead,
        })
    }

    /// Whether a change of the payload that the log has found this row: its vectors are those of the point then. Either
    /// the row is that of the change itself, or nothing that came between can have put others in their place. What is in
    /// no log any more has left a trace among the dead.
    fn is_changed_by(self, seq: u64, unbroken: Unbroken, collection: &Collection) -> bool {
        let settled = collection.flushed.max(collection.released);
        let exact = !self.guessed && (self.version == seq || unbroken.follows(self.version));
        exact || unbroken.behind <= settled && self.segment.was_alive(self.row)
    }

    fn keep(self, id: PointId) -> Verdict<'a> {
        match self.segment.payload(self.row) {
            Some(payload) => self.keep_with(id, self.version, payload),
            None => Verdict::Lost(self.segment.payload_blame()),
        }
    }

    /// The vectors of the row with a payload from elsewhere.
    fn keep_with(self, id: PointId, version: u64, payload: &'a [u8]) -> Verdict<'a> {
        match self.segment.lost_vectors(self.row) {
            Some(blame) => Verdict::Lost(blame),
            None => Verdict::Kept(Pick {
                id,
                version,
                payload,
                vectors: VectorsOf::Row(self.segment, self.row),
            }),
        }
    }
}

/// The row of the greater version; of one version it is dead if any of them is.
fn newer<'a>(a: Option<Row<'a>>, b: Option<Row<'a>>) -> Option<Row<'a>> {
    match (a, b) {
        (Some(a), Some(b)) if (b.version, b.dead) > (a.version, a.dead) => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    }
}

fn judge<'a>(
    collection: &Collection,
    id: PointId,
    newest: Option<Row<'a>>,
    logged: Option<&'a Logged>,
) -> Verdict<'a> {
    let Some(logged) = logged.filter(|logged| newest.is_none_or(|row| logged.seq >= row.version)) else {
        return match newest {
            Some(row) if !row.dead => row.keep(id),
            Some(_) | None => Verdict::Gone,
        };
    };
    let of_segment = newest.filter(|row| row.version == logged.seq);
    if let Some(row) = of_segment {
        if row.dead {
            return Verdict::Gone;
        }
        if let kept @ Verdict::Kept(_) = row.keep(id) {
            return kept;
        }
    }
    match &logged.state {
        State::Deleted => Verdict::Gone,
        State::Put { payload, vectors } => Verdict::Kept(Pick {
            id,
            version: logged.seq,
            payload,
            vectors: VectorsOf::Log(vectors),
        }),
        // The vectors are those of the row that the change has ended, which is dead by now if a segment has the change.
        // A row that something else has ended may be of an earlier life of the point.
        State::Payload { payload, unbroken } => match newest {
            Some(row) if row.is_changed_by(logged.seq, *unbroken, collection) => {
                row.keep_with(id, logged.seq, payload)
            }
            Some(_) | None => Verdict::Lost(None),
        },
    }
}
