//! One collection: what its segments still have, and what the log does to its points.

use std::collections::BTreeMap;

use vdb_storage::PointId;
use vdb_storage::manifest::CollectionManifest;
use vdb_vfs::DynDisk;
use vdb_wal::Lsn;

use super::losses::Losses;
use super::segment::{self, Segment};
use super::survey::Found;
use crate::directory::len_of;
use crate::error::Result;
use crate::schema::Schema;
use crate::write::record::{EffectKind, EffectView, Section};

/// Everything that is left of a collection.
#[derive(Debug)]
pub(super) struct Collection {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) dir: String,
    /// None where neither a manifest nor a segment has it: then no vector can be read.
    pub(super) schema: Option<Schema>,
    pub(super) segments: Vec<Segment>,
    /// By point, the last thing that the log says of it.
    pub(super) logged: BTreeMap<PointId, Logged>,
    /// Operations up to here have taken their numbers.
    pub(super) last_seq: u64,
    /// There may have been more operations than those.
    pub(super) uncertain: bool,
    /// What the log has up to here is in segments, all of which can be read.
    covered: Lsn,
    /// Up to here the log is in segments, readable or not, as the manifest says.
    pub(super) flushed: Lsn,
    /// Up to here the log is in segments, as the log says.
    pub(super) released: Lsn,
    /// What has been read of the log without a gap, up to now.
    unbroken: Unbroken,
    /// The schema may be older than records of the log.
    may_be_older: bool,
    /// Vectors in the log that are of none of its names.
    unknown_vectors: u64,
}

/// A part of the log in which no record is missing that may be about the collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unbroken {
    /// It holds every record behind this one...
    pub(super) behind: Lsn,
    /// ...and with them every operation behind this one. None until a record tells which that is.
    behind_seq: Option<u64>,
}

impl Unbroken {
    /// True when every operation is in it that came after this one.
    pub(super) fn follows(&self, seq: u64) -> bool {
        self.behind_seq.is_some_and(|behind| behind <= seq)
    }
}

/// The last thing that the log says of a point.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Logged {
    /// The operation that did it: the version of the point.
    pub(super) seq: u64,
    pub(super) state: State,
}

/// What became of a point.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is this.
    Put {
        payload: Vec<u8>,
        /// By slot.
        vectors: Vec<Option<Vec<u8>>>,
    },
    /// It has this payload and the vectors that it had: neither was it put nor deleted in this part of the log before.
    Payload { payload: Vec<u8>, unbroken: Unbroken },
    /// It is gone.
    Deleted,
}

impl Logged {
    /// What the point is after a change of its payload in this part of the log.
    fn with_payload(self, payload: Vec<u8>, unbroken: Unbroken) -> State {
        if !unbroken.follows(self.seq) {
            // A record that is missing may have put it anew, with other vectors.
            return State::Payload { payload, unbroken };
        }
        match self.state {
            State::Put { vectors, .. } => State::Put { payload, vectors },
            State::Payload { unbroken, .. } => State::Payload { payload, unbroken },
            // There is no payload to change of what is gone: it was put by a record that nothing else tells of.
            State::Deleted => State::Payload {
                payload,
                unbroken: Unbroken {
                    behind: Lsn::MAX,
                    behind_seq: Some(self.seq),
                },
            },
        }
    }
}

impl Collection {
    /// Reads the segments of a collection.
    pub(super) fn open(disk: &DynDisk, found: Found, losses: &mut Losses<'_>) -> Result<Collection> {
        losses.about(Some(&found.name));
        let paths = found
            .segments
            .iter()
            .flat_map(|s| &s.files)
            .map(|f| f.file.path(&found.dir));
        let lens = paths.map(|path| len_of(disk, &path));
        losses.expect(lens.fold(0, u64::saturating_add));
        let mut opened = Vec::with_capacity(found.segments.len());
        for segment in &found.segments {
            opened.push(segment::open_points(disk, &found.dir, segment, losses)?);
        }
        let mut schema = found.schema;
        if !found.is_newest {
            // The segments may have come after the manifest that is left.
            let newer = opened
                .iter()
                .filter_map(segment::Opened::identity)
                .map(|i| &i.schema);
            let newer = newer.max_by_key(|record| record.revision);
            let known = schema.as_ref().map(|schema| schema.revision);
            if let Some(record) = newer.filter(|record| known.is_none_or(|known| known < record.revision)) {
                match Schema::from_record(record, &disk.display(&found.dir)) {
                    Ok(read) => schema = Some(read),
                    Err(error) => {
                        losses.error(&found.dir, &error, "");
                    }
                }
            }
        }
        let mut segments = Vec::with_capacity(opened.len());
        match &schema {
            None => {
                let what = "neither a manifest nor a segment says what it holds: nothing of it can be read";
                let blame = losses.note(&found.dir, what.to_owned());
                if !found.segments.is_empty() {
                    losses.lose_unnamed(blame, None);
                }
            }
            Some(schema) => {
                for (opened, plan) in opened.into_iter().zip(&found.segments) {
                    segments.extend(opened.complete(disk, &found.dir, plan, schema, losses)?);
                }
            }
        }
        let whole = found.is_newest
            && segments.len() == found.segments.len()
            && segments.iter().all(|segment| !segment.is_damaged());
        let number = |of: fn(&CollectionManifest) -> u64| found.manifest.as_ref().map_or(0, of);
        let flushed = number(|m| m.flushed_lsn);
        let last_seq = segments
            .iter()
            .map(Segment::max_seq)
            .fold(number(|m| m.seq_floor), u64::max);
        losses.about(None);
        Ok(Collection {
            id: found.id,
            name: found.name,
            aliases: found.aliases,
            dir: found.dir,
            schema,
            segments,
            logged: BTreeMap::new(),
            last_seq,
            uncertain: !found.is_newest || found.manifest.is_some_and(|m| m.weak),
            covered: if whole { flushed } else { 0 },
            flushed,
            released: 0,
            unbroken: Unbroken::default(),
            may_be_older: !found.is_newest,
            unknown_vectors: 0,
        })
    }

    /// Notes that records which may be about the collection cannot be read, up to this one.
    pub(super) fn miss(&mut self, lsn: Lsn) {
        self.unbroken = Unbroken {
            behind: lsn,
            behind_seq: None,
        };
    }

    /// Notes what a record of the log does.
    ///
    /// # Errors
    /// When the record does not fit the collection; then nothing of it is noted.
    pub(super) fn apply(&mut self, section: &Section, lsn: Lsn) -> Result<()> {
        self.last_seq = self.last_seq.max(section.seq);
        if lsn <= self.covered {
            return Ok(());
        }
        let seq = section.seq;
        self.unbroken.behind_seq.get_or_insert(seq.saturating_sub(1));
        let unbroken = self.unbroken;
        let payload_of = |payload| State::Payload { payload, unbroken };
        let Some(schema) = &self.schema else {
            for effect in &section.effects {
                let state = match effect.kind {
                    EffectKind::Put | EffectKind::Payload => payload_of(Vec::new()),
                    EffectKind::Delete => State::Deleted,
                };
                self.logged.insert(effect.id(), Logged { seq, state });
            }
            return Ok(());
        };
        let mut states = Vec::with_capacity(section.effects.len());
        let note = |effect: EffectView<'_>| {
            let payload = effect.payload.to_vec();
            let state = match effect.kind {
                EffectKind::Put => State::Put {
                    payload,
                    vectors: effect.vectors.iter().map(|v| v.map(<[u8]>::to_vec)).collect(),
                },
                EffectKind::Payload => payload_of(payload),
                EffectKind::Delete => State::Deleted,
            };
            states.push((effect.id, state));
            Ok(())
        };
        match self.may_be_older {
            true => self.unknown_vectors += section.for_each_known(schema, note)?,
            false => section.for_each(schema, note)?,
        }
        for (id, state) in states {
            let state = match (state, self.logged.remove(&id)) {
                (State::Payload { payload, .. }, Some(before)) => before.with_payload(payload, unbroken),
                (state, _) => state,
            };
            self.logged.insert(id, Logged { seq, state });
        }
        Ok(())
    }

    /// Tells how many rows were lost with their ids, and which points only the log has and cannot give.
    pub(super) fn count_unnamed(&self, losses: &mut Losses<'_>) {
        losses.about(Some(&self.name));
        for segment in &self.segments {
            segment.count_unnamed(losses);
        }
        if self.unknown_vectors > 0 {
            let what = format!(
                "the log has {} vectors under names that were created after the manifest that is left: the points are kept \
                 without these",
                self.unknown_vectors
            );
            let blame = losses.note(&self.dir, what);
            losses.lose_unnamed(blame, None);
        }
        if self.schema.is_none() && !self.logged.is_empty() {
            let blame = losses.note(
                &self.dir,
                "the log has points of it, which cannot be read without a schema".to_owned(),
            );
            for (id, _) in self
                .logged
                .iter()
                .filter(|(_, logged)| logged.state != State::Deleted)
            {
                losses.lose(blame, *id);
            }
        }
        losses.about(None);
    }
}
