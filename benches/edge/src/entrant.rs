//! Which systems there are, and how each is made, opened and asked.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Map, Value};
use vdb_benches::{Dataset, Made, Ours, Question, Questions, Result, Runner, System};
use vdb_measure::{Plan, Setting};

use crate::edge::{Edge, Rescore, Storage};

/// A system that takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Entrant {
    /// Our database with its defaults.
    Vdb,
    /// qdrant-edge with its defaults: f32.
    Edge,
    /// qdrant-edge with 8-bit codes in memory, rescoring left to it.
    EdgeSq8,
    /// The same, rescoring twice as many as asked for.
    EdgeSq8X2,
}

/// What goes into a database.
pub(crate) struct Contents<'a> {
    pub(crate) set: &'a Dataset,
    /// With indexes on their fields.
    pub(crate) payloads: Option<&'a [Map<String, Value>]>,
}

impl Entrant {
    /// Those that are measured unless others are named.
    pub(crate) fn usual(filtered: bool) -> Vec<Entrant> {
        if filtered {
            vec![Entrant::Vdb, Entrant::EdgeSq8X2]
        } else {
            vec![Entrant::Vdb, Entrant::Edge, Entrant::EdgeSq8, Entrant::EdgeSq8X2]
        }
    }

    /// As the command line has it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Entrant::Vdb => "vdb",
            Entrant::Edge => "edge",
            Entrant::EdgeSq8 => "edge-sq8",
            Entrant::EdgeSq8X2 => "edge-sq8-x2",
        }
    }

    /// Where its database lies; systems that differ in how they are asked share one.
    pub(crate) fn home(self, dir: &Path) -> PathBuf {
        dir.join(match self {
            Entrant::Vdb => "vdb",
            Entrant::Edge => "edge",
            Entrant::EdgeSq8 | Entrant::EdgeSq8X2 => "edge-sq8",
        })
    }

    /// How a shard is called and asked; none for ours.
    fn asked(self) -> Option<(&'static str, Rescore)> {
        match self {
            Entrant::Vdb => None,
            Entrant::Edge => Some(("qdrant-edge", Rescore::Unsaid)),
            Entrant::EdgeSq8 => Some(("qdrant-edge sq8", Rescore::Unsaid)),
            Entrant::EdgeSq8X2 => Some(("qdrant-edge sq8 rescore x2", Rescore::Twice)),
        }
    }

    pub(crate) fn make(self, dir: &Path, contents: &Contents<'_>) -> Result<Made> {
        let (home, set, payloads) = (self.home(dir), contents.set, contents.payloads);
        match self {
            Entrant::Vdb => Ours::make(&home, set, payloads, 0),
            Entrant::Edge => Edge::make(&home, set, payloads, Storage::Default),
            Entrant::EdgeSq8 | Entrant::EdgeSq8X2 => Edge::make(&home, set, payloads, Storage::Int8),
        }
    }
}

/// A system whose database is open.
pub(crate) enum Opened {
    Ours(Ours),
    Edge(Box<Edge>),
}

impl Opened {
    /// Opens the databases of all, in their order.
    pub(crate) fn all(entrants: &[Entrant], dir: &Path) -> Result<Vec<Opened>> {
        let mut all: Vec<Opened> = Vec::new();
        for (number, entrant) in entrants.iter().enumerate() {
            let home = entrant.home(dir);
            let Some((name, rescore)) = entrant.asked() else {
                all.push(Opened::Ours(Ours::open(&home)?));
                continue;
            };
            let same = entrants[..number]
                .iter()
                .position(|other| other.home(dir) == home);
            let edge = match same.and_then(|same| all.get(same)) {
                Some(Opened::Edge(open)) => open.otherwise(name, rescore),
                Some(Opened::Ours(_)) | None => Edge::open(&home, name, rescore)?,
            };
            all.push(Opened::Edge(Box::new(edge)));
        }
        Ok(all)
    }

    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Opened::Ours(_))
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Opened::Ours(system) => system.name().to_owned(),
            Opened::Edge(system) => system.name().to_owned(),
        }
    }

    /// One question, as it comes.
    pub(crate) fn ask(&self, question: &Question<'_>) -> Result<Vec<u64>> {
        match self {
            Opened::Ours(system) => system.ask(system.request(question)?),
            Opened::Edge(system) => system.ask(system.request(question)?),
        }
    }

    pub(crate) fn runner<'a>(
        &'a self,
        setting: Setting,
        questions: Questions<'a>,
        plan: &Plan,
    ) -> Result<Runner<'a>> {
        match self {
            Opened::Ours(system) => Runner::new(system, setting, questions, plan),
            Opened::Edge(system) => Runner::new(&**system, setting, questions, plan),
        }
    }
}
