//! The names of a simulated disk: as the process sees them, as the medium holds them, and what is on its way.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::content::{Content, SimFile};
use super::random::Random;
use crate::tree::{Change, Child, DirId, Outcome, ROOT, Step, Tree};

#[derive(Debug)]
pub(super) struct Names {
    pub(super) live: Tree<SimFile>,
    durable: Tree<SimFile>,
    pending: Vec<Step<SimFile>>,
}

/// How much of the pending steps a crash leaves.
#[derive(Clone, Copy, Debug)]
enum Fate {
    All,
    None,
    /// Those before one point in time: a journal.
    Until(usize),
    /// Any of them, but of each name the first ones: no promise of order between names.
    Scattered,
}

impl Names {
    pub(super) fn new() -> Self {
        Names {
            live: Tree::new(),
            durable: Tree::new(),
            pending: Vec::new(),
        }
    }

    /// Notes steps that the live tree has made.
    pub(super) fn record(&mut self, steps: impl IntoIterator<Item = Step<SimFile>>) {
        self.pending
            .extend(steps.into_iter().filter(|step| !step.is_empty()));
    }

    /// Makes all that happened in a directory durable, with what it rests on.
    pub(super) fn sync_dir(&mut self, path: &str) -> Outcome<()> {
        for step in self.take_pending_of(path)? {
            self.durable.apply(&step);
        }
        Ok(())
    }

    /// A sync that failed: some of it is durable, and no later sync makes up for the rest.
    pub(super) fn fail_sync_dir(&mut self, path: &str, random: &mut Random) -> Outcome<()> {
        let steps = self.take_pending_of(path)?;
        for step in survivors(&steps, Fate::Scattered, random) {
            self.durable.apply(step);
        }
        Ok(())
    }

    fn take_pending_of(&mut self, path: &str) -> Outcome<Vec<Step<SimFile>>> {
        let dir = self.live.find_dir(path)?;
        let mut names = HashSet::new();
        let mut due = vec![false; self.pending.len()];
        for (step, due) in self.pending.iter().zip(&mut due).rev() {
            *due = step.iter().any(|c| c.dir == dir || names.contains(&key(c)));
            if *due {
                names.extend(step.iter().map(key));
            }
        }
        let mut due = due.iter();
        Ok(self
            .pending
            .extract_if(.., |_| due.next() == Some(&true))
            .collect())
    }

    /// What the medium holds after a crash now.
    pub(super) fn crash(&self, random: &mut Random) -> Names {
        let fate = match random.below(4) {
            0 => Fate::All,
            1 => Fate::None,
            2 => Fate::Until(random.below(self.pending.len() + 1)),
            _ => Fate::Scattered,
        };
        let mut names = self.durable.clone();
        for step in survivors(&self.pending, fate, random) {
            names.apply(step);
        }
        let mut tree = Tree::new();
        let mut crash = |file: &SimFile| Content::durable(file.0.lock().crash(&mut random.fork()));
        copy_reachable(&names, ROOT, &mut Copies::new(&mut crash), &mut tree);
        Names {
            durable: tree.clone(),
            live: tree,
            pending: Vec::new(),
        }
    }

    /// The same names and files, apart from this disk from now on.
    pub(super) fn copy(&self) -> Names {
        let mut clone = |file: &SimFile| file.0.lock().clone();
        let mut copies = Copies::new(&mut clone);
        let mut copy = |tree: &Tree<SimFile>| {
            let mut out = Tree::new();
            for (dir, name, child) in tree.entries() {
                out.apply(&[copies.change(dir, name, Some(child))]);
            }
            out
        };
        let (live, durable) = (copy(&self.live), copy(&self.durable));
        let mut step = |step: &Step<_>| {
            step.iter()
                .map(|c| copies.change(c.dir, &c.name, c.child.as_ref()))
                .collect()
        };
        Names {
            live,
            durable,
            pending: self.pending.iter().map(&mut step).collect(),
        }
    }

    /// Bytes in all files, each counted once.
    pub(super) fn used(&self) -> u64 {
        let mut seen = HashSet::new();
        let files = self.live.entries().filter_map(|(_, _, child)| match child {
            Child::File(file) => seen.insert(Arc::as_ptr(file)).then_some(file),
            Child::Dir(_) => None,
        });
        files.map(|file| file.0.lock().live.len() as u64).sum()
    }
}

fn key(change: &Change<SimFile>) -> (DirId, String) {
    (change.dir, change.name.clone())
}

fn survivors<'s>(
    steps: &'s [Step<SimFile>],
    fate: Fate,
    random: &mut Random,
) -> impl Iterator<Item = &'s Step<SimFile>> {
    let mut lost = HashSet::new();
    steps
        .iter()
        .enumerate()
        .filter(move |(time, step)| match fate {
            Fate::All => true,
            Fate::None => false,
            Fate::Until(n) => *time < n,
            Fate::Scattered => {
                let kept = random.coin() && !step.iter().any(|c| lost.contains(&key(c)));
                if !kept {
                    lost.extend(step.iter().map(key));
                }
                kept
            }
        })
        .map(|(_, step)| step)
}

/// New files for old, one for one, however many names they have.
struct Copies<'m> {
    made: HashMap<*const SimFile, Arc<SimFile>>,
    make: &'m mut dyn FnMut(&SimFile) -> Content,
}

impl<'m> Copies<'m> {
    fn new(make: &'m mut dyn FnMut(&SimFile) -> Content) -> Self {
        Copies {
            made: HashMap::new(),
            make,
        }
    }

    fn change(&mut self, dir: DirId, name: &str, child: Option<&Child<SimFile>>) -> Change<SimFile> {
        let child = child.map(|child| match child {
            Child::Dir(id) => Child::Dir(*id),
            Child::File(old) => {
                let new = self.made.entry(Arc::as_ptr(old));
                Child::File(Arc::clone(
                    new.or_insert_with(|| Arc::new(SimFile((self.make)(old).into()))),
                ))
            }
        });
        Change {
            dir,
            name: name.to_owned(),
            child,
        }
    }
}

/// Copies what can be reached by names, so that lost directories take their files with them.
fn copy_reachable(from: &Tree<SimFile>, dir: DirId, copies: &mut Copies<'_>, to: &mut Tree<SimFile>) {
    for (name, child) in from.children(dir) {
        to.apply(&[copies.change(dir, name, Some(child))]);
        if let Child::Dir(id) = child {
            copy_reachable(from, *id, copies, to);
        }
    }
}
