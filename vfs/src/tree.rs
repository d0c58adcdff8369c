//! A directory tree in memory: names only. What a file is, its users say.
//!
//! Every operation that changes names returns what it changed, so that the simulator can lose some of it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use crate::path;

/// The result of an operation on names; callers add the path.
pub(crate) type Outcome<T> = Result<T, io::ErrorKind>;

/// Identifies a directory for as long as the tree lives, whatever its name.
pub(crate) type DirId = u64;

pub(crate) const ROOT: DirId = 0;

/// What a name stands for.
#[derive(Debug)]
pub(crate) enum Child<F> {
    Dir(DirId),
    File(Arc<F>),
}

impl<F> Clone for Child<F> {
    fn clone(&self) -> Self {
        match self {
            Child::Dir(id) => Child::Dir(*id),
            Child::File(file) => Child::File(Arc::clone(file)),
        }
    }
}

/// One name that now stands for something else, or for nothing.
#[derive(Debug)]
pub(crate) struct Change<F> {
    pub(crate) dir: DirId,
    pub(crate) name: String,
    pub(crate) child: Option<Child<F>>,
}

impl<F> Change<F> {
    fn set(dir: DirId, name: &str, child: Child<F>) -> Self {
        Change {
            dir,
            name: name.to_owned(),
            child: Some(child),
        }
    }

    fn unset(dir: DirId, name: &str) -> Self {
        Change {
            dir,
            name: name.to_owned(),
            child: None,
        }
    }
}

impl<F> Clone for Change<F> {
    fn clone(&self) -> Self {
        Change {
            dir: self.dir,
            name: self.name.clone(),
            child: self.child.clone(),
        }
    }
}

/// Changes that happen together or, on a disk that keeps its promises, not at all.
pub(crate) type Step<F> = Vec<Change<F>>;

#[derive(Debug)]
pub(crate) struct Tree<F> {
    dirs: BTreeMap<DirId, BTreeMap<String, Child<F>>>,
    next: DirId,
}

impl<F> Clone for Tree<F> {
    fn clone(&self) -> Self {
        Tree {
            dirs: self.dirs.clone(),
            next: self.next,
        }
    }
}

impl<F> Tree<F> {
    pub(crate) fn new() -> Self {
        Tree {
            dirs: BTreeMap::from([(ROOT, BTreeMap::new())]),
            next: ROOT + 1,
        }
    }

    /// Makes changes that another tree of the same directory ids has made.
    pub(crate) fn apply(&mut self, step: &[Change<F>]) {
        for change in step {
            if let Some(Child::Dir(id)) = change.child {
                self.next = self.next.max(id + 1);
                self.dirs.entry(id).or_default();
            }
            let names = self.dirs.entry(change.dir).or_default();
            match &change.child {
                Some(child) => names.insert(change.name.clone(), child.clone()),
                None => names.remove(&change.name),
            };
        }
    }

    /// What `path` stands for.
    pub(crate) fn find(&self, path: &str) -> Outcome<Child<F>> {
        let mut at = Child::Dir(ROOT);
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let Child::Dir(dir) = at else {
                return Err(io::ErrorKind::NotADirectory);
            };
            at = self.child(dir, name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    pub(crate) fn child(&self, dir: DirId, name: &str) -> Option<Child<F>> {
        self.dirs.get(&dir)?.get(name).cloned()
    }

    pub(crate) fn children(&self, dir: DirId) -> impl Iterator<Item = (&String, &Child<F>)> {
        self.dirs.get(&dir).into_iter().flatten()
    }

    /// Every name, that of files and of directories, in an order that is the same for the same tree.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn entries(&self) -> impl Iterator<Item = (DirId, &String, &Child<F>)> {
        let dirs = self.dirs.iter();
        dirs.flat_map(|(dir, names)| names.iter().map(|(name, child)| (*dir, name, child)))
    }

    pub(crate) fn find_dir(&self, path: &str) -> Outcome<DirId> {
        match self.find(path)? {
            Child::Dir(dir) => Ok(dir),
            Child::File(_) => Err(io::ErrorKind::NotADirectory),
        }
    }

    pub(crate) fn find_file(&self, path: &str) -> Outcome<Arc<F>> {
        match self.find(path)? {
            Child::File(file) => Ok(file),
            Child::Dir(_) => Err(io::ErrorKind::IsADirectory),
        }
    }

    /// The directory that holds `path`, and its last name.
    fn place<'p>(&self, path: &'p str) -> Outcome<(DirId, &'p str)> {
        let (dir, name) = path::split(path);
        Ok((self.find_dir(dir)?, name))
    }

    pub(crate) fn list(&self, path: &str) -> Outcome<Vec<String>> {
        let dir = self.find_dir(path)?;
        Ok(self.children(dir).map(|(name, _)| name.clone()).collect())
    }

    /// The file at `path`, made by `new` and named when it is missing.
    pub(crate) fn create(&mut self, path: &str, new: impl FnOnce() -> F) -> Outcome<(Arc<F>, Step<F>)> {
        let (dir, name) = self.place(path)?;
        match self.child(dir, name) {
            Some(Child::File(file)) => Ok((file, Vec::new())),
            Some(Child::Dir(_)) => Err(io::ErrorKind::IsADirectory),
            None => {
                let file = Arc::new(new());
                let step = vec![Change::set(dir, name, Child::File(Arc::clone(&file)))];
                self.apply(&step);
                Ok((file, step))
            }
        }
    }

    pub(crate) fn hard_link(&mut self, from: &str, to: &str) -> Outcome<Step<F>> {
        let file = self.find_file(from)?;
        let (dir, name) = self.place(to)?;
        if self.child(dir, name).is_some() {
            return Err(io::ErrorKind::AlreadyExists);
        }
        let step = vec![Change::set(dir, name, Child::File(file))];
        self.apply(&step);
        Ok(step)
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Outcome<Step<F>> {
        let (from_dir, from_name) = self.place(from)?;
        let (to_dir, to_name) = self.place(to)?;
        let moved = self.child(from_dir, from_name).ok_or(io::ErrorKind::NotFound)?;
        if matches!(moved, Child::Dir(_)) && to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
            return Err(io::ErrorKind::InvalidInput);
        }
        match (&moved, self.child(to_dir, to_name)) {
            (_, None) => {}
            // As POSIX has it: two names of one file are left as they are.
            (Child::File(a), Some(Child::File(b))) if Arc::ptr_eq(a, &b) => return Ok(Vec::new()),
            (Child::File(_), Some(Child::File(_))) => {}
            (Child::Dir(a), Some(Child::Dir(b))) if *a == b => return Ok(Vec::new()),
            (Child::Dir(_), Some(Child::Dir(b))) if self.children(b).next().is_none() => {}
            (Child::Dir(_), Some(Child::Dir(_))) => return Err(io::ErrorKind::DirectoryNotEmpty),
            (Child::File(_), Some(Child::Dir(_))) => return Err(io::ErrorKind::IsADirectory),
            (Child::Dir(_), Some(Child::File(_))) => return Err(io::ErrorKind::NotADirectory),
        }
        let step = vec![
            Change::unset(from_dir, from_name),
            Change::set(to_dir, to_name, moved),
        ];
        self.apply(&step);
        Ok(step)
    }

    pub(crate) fn remove(&mut self, path: &str) -> Outcome<Step<F>> {
        self.find_file(path)?;
        let (dir, name) = self.place(path)?;
        let step = vec![Change::unset(dir, name)];
        self.apply(&step);
        Ok(step)
    }

    /// One step a directory that is new.
    pub(crate) fn create_dir_all(&mut self, path: &str) -> Outcome<Vec<Step<F>>> {
        let mut steps = Vec::new();
        let mut dir = ROOT;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            dir = match self.child(dir, name) {
                Some(Child::Dir(id)) => id,
                Some(Child::File(_)) => return Err(io::ErrorKind::NotADirectory),
                None => {
                    let id = self.next;
                    self.next += 1;
                    let step = vec![Change::set(dir, name, Child::Dir(id))];
                    self.apply(&step);
                    steps.push(step);
                    id
                }
            };
        }
        Ok(steps)
    }

    /// One step a name that goes, leaves first.
    pub(crate) fn remove_dir_all(&mut self, path: &str) -> Outcome<Vec<Step<F>>> {
        let mut steps = Vec::new();
        match self.find(path) {
            Err(io::ErrorKind::NotFound) => return Ok(steps),
            Err(e) => return Err(e),
            Ok(Child::File(_)) => return Err(io::ErrorKind::NotADirectory),
            Ok(Child::Dir(dir)) => self.empty(dir, &mut steps),
        }
        let (dir, name) = self.place(path)?;
        steps.push(vec![Change::unset(dir, name)]);
        for step in &steps {
            self.apply(step);
        }
        Ok(steps)
    }

    fn empty(&self, dir: DirId, steps: &mut Vec<Step<F>>) {
        for (name, child) in self.children(dir) {
            if let Child::Dir(id) = child {
                self.empty(*id, steps);
            }
            steps.push(vec![Change::unset(dir, name)]);
        }
    }
}
