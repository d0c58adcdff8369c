//! A memory limit for this process: a control group of its own, where the system lets it make one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Which interface a hierarchy of groups has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

impl Version {
    /// The file that takes the most memory of a group, in bytes.
    fn limit_file(self) -> &'static str {
        match self {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => "memory.max",
        }
    }
}

/// A group that this process is in until it is dropped. What it had in memory before stays with the group it came from;
/// what it reads and allocates from then on counts.
#[derive(Debug)]
pub struct MemoryGroup {
    version: Version,
    dir: PathBuf,
    /// Where the process came from.
    home: PathBuf,
}

impl MemoryGroup {
    /// Makes a group of at most `bytes` and enters it.
    ///
    /// # Errors
    /// Why there is none, for every place where one was tried.
    pub fn enter(bytes: u64) -> Result<MemoryGroup, String> {
        let read = |file: &str| fs::read_to_string(file).map_err(|e| format!("{file}: {e}"));
        let homes = homes(&read("/proc/self/cgroup")?, &read("/proc/self/mountinfo")?);
        let mut reasons = Vec::new();
        for (version, home) in &homes {
            // A group of version 2 that holds processes has no groups below it that limit memory: beside it one may.
            let beside = (*version == Version::V2).then(|| home.parent()).flatten();
            for parent in [Some(home.as_path()), beside].into_iter().flatten() {
                match MemoryGroup::below(parent, home, *version, bytes) {
                    Ok(group) => return Ok(group),
                    Err(e) => reasons.push(format!("{}: {e}", parent.display())),
                }
            }
        }
        if reasons.is_empty() {
            reasons.push("no hierarchy of control groups counts memory".to_owned());
        }
        Err(reasons.join("; "))
    }

    /// `cgroup v2` or `cgroup v1`.
    pub fn name(&self) -> &'static str {
        match self.version {
            Version::V1 => "cgroup v1",
            Version::V2 => "cgroup v2",
        }
    }

    fn below(parent: &Path, home: &Path, version: Version, bytes: u64) -> io::Result<MemoryGroup> {
        let dir = parent.join(format!("vdb-measure-{}", std::process::id()));
        fs::create_dir(&dir)?;
        // From here on dropping it removes the folder.
        let group = MemoryGroup {
            version,
            dir,
            home: home.to_owned(),
        };
        let file = |name: &str| group.dir.join(name);
        if !file(version.limit_file()).exists() {
            return Err(io::Error::other("memory is not counted below it"));
        }
        fs::write(file(version.limit_file()), bytes.to_string())?;
        // Else the process's own memory would be written out instead of its files' pages let go.
        for name in ["memory.swap.max", "memory.swappiness"] {
            if file(name).exists() {
                fs::write(file(name), "0")?;
            }
        }
        fs::write(file("cgroup.procs"), std::process::id().to_string())?;
        Ok(group)
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // Nobody could act on a failure: the process ends soon, and an empty group does no harm.
        if self.dir.join("cgroup.procs").exists() {
            let _ = fs::write(self.home.join("cgroup.procs"), std::process::id().to_string());
        }
        let _ = fs::remove_dir(&self.dir);
    }
}

/// The groups of a process that may count its memory, version 2 first, by what `/proc/self/cgroup` and
/// `/proc/self/mountinfo` say.
fn homes(groups: &str, mounts: &str) -> Vec<(Version, PathBuf)> {
    let mut found = Vec::new();
    for version in [Version::V2, Version::V1] {
        // ID:CONTROLLERS:PATH; version 2 names no controllers.
        let path = groups.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            let counts = match version {
                Version::V2 => controllers.is_empty(),
                Version::V1 => controllers.split(',').any(|one| one == "memory"),
            };
            counts.then_some(path)
        });
        // ID PARENT DEVICE ROOT MOUNT_POINT OPTIONS.. - TYPE SOURCE SUPER_OPTIONS
        let mount = mounts.lines().find_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            let mut kind = kind.split(' ');
            let (name, options) = (kind.next()?, kind.nth(1)?);
            let is_it = match version {
                Version::V2 => name == "cgroup2",
                Version::V1 => name == "cgroup" && options.split(',').any(|one| one == "memory"),
            };
            let mut place = place.split(' ').skip(3);
            is_it.then_some((place.next()?, place.next()?))
        });
        if let (Some(path), Some((root, point))) = (path, mount) {
            // A container sees its part of the hierarchy only.
            let inside = Path::new(path).strip_prefix(root);
            let inside = inside.or_else(|_| Path::new(path).strip_prefix("/"));
            found.extend(inside.map(|inside| (version, Path::new(point).join(inside))));
        }
    }
    found
}

#[cfg(test)]
mod tests;
