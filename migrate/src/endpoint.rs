//! A URL or a directory, opened as source or target.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vdb::Database;
use vdb_qdrant::Qdrant;
use vdb_qdrant::client::{BackEnd, Environment, OpenOptions};

use crate::error::{MigrateError, Result, told};

/// How long a server has to answer at first.
const PATIENCE: Duration = Duration::from_secs(10);

/// One side of a migration, not opened yet. Its text has no secrets in it.
#[derive(Clone)]
pub struct Endpoint {
    place: Place,
    key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Server(String),
    Directory(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Server(url) => f.write_str(url),
            Place::Directory(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

impl Endpoint {
    /// What a text means: a URL is a server, everything else a directory. `key` is that of a server.
    ///
    /// # Errors
    /// When it is neither, when a key is given for a directory, or the key is none that a header can have; the key is not told.
    pub fn parse(text: &str, key: Option<String>) -> Result<Self> {
        let usage = |why: String| Err(MigrateError::Usage(why));
        let place = match BackEnd::parse(text) {
            BackEnd::Memory => return usage("memory is no place to migrate to or from".to_owned()),
            BackEnd::Directory(path) if path.as_os_str().is_empty() => {
                return usage("an empty text is neither a URL nor a directory".to_owned());
            }
            BackEnd::Directory(path) => {
                if key.is_some() {
                    return usage(format!("{text} is a directory, and only servers have keys"));
                }
                // The same place, from wherever the next run is started.
                let full = std::path::absolute(&path).map_err(|error| MigrateError::Open {
                    place: text.to_owned(),
                    problem: error.to_string(),
                })?;
                Place::Directory(full.components().collect())
            }
            BackEnd::Server(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let authority = rest.split('/').next().unwrap_or_default();
                if authority.contains('@') {
                    return usage(
                        "a URL with a name or password in it: servers know keys, which --from-api-key and --to-api-key \
                         give, or VDB_FROM_API_KEY and VDB_TO_API_KEY"
                            .to_owned(),
                    );
                }
                Place::Server(url.trim_end_matches('/').to_owned())
            }
        };
        if let Some(key) = &key
            && (key.is_empty() || !key.bytes().all(|byte| (0x21..0x7f).contains(&byte)))
        {
            return usage(format!(
                "the key of {text} is empty or has characters that no key has (blanks, line ends, letters beyond ASCII)"
            ));
        }
        Ok(Endpoint { place, key })
    }

    /// The directory, if it is one.
    pub fn directory(&self) -> Option<&Path> {
        match &self.place {
            Place::Directory(path) => Some(path),
            Place::Server(_) => None,
        }
    }

    /// Whether a key would go over a network that others can listen to.
    pub fn shows_key(&self) -> bool {
        let Place::Server(url) = &self.place else {
            return false;
        };
        let authority = url.strip_prefix("http://").unwrap_or_default();
        let local = ["localhost", "127.", "[::1]"];
        self.key.is_some()
            && url.starts_with("http://")
            && !local.iter().any(|host| authority.starts_with(host))
    }

    /// Whether both are the same place.
    pub fn is(&self, other: &Endpoint) -> bool {
        let real = |place: &Place| match place {
            Place::Directory(path) => {
                Place::Directory(std::fs::canonicalize(path).unwrap_or_else(|_| path.clone()))
            }
            Place::Server(url) => Place::Server(url.clone()),
        };
        real(&self.place) == real(&other.place)
    }

    /// Opens it to be read. A directory is only read, whoever else may write to it, and is seen as it is now.
    ///
    /// # Errors
    /// When there is no database, or the server does not answer.
    pub async fn source(&self, timeout: Duration, connections: usize) -> Result<Qdrant> {
        match &self.place {
            Place::Server(url) => self.server(url, timeout, connections).await,
            Place::Directory(path) => {
                let database = Database::builder().background(false).open_read_only(path);
                self.embedded(database, path)
            }
        }
    }

    /// Opens it to be written. A directory is made if it is not there.
    ///
    /// # Errors
    /// When another process has the directory open, or the server does not answer.
    pub async fn target(&self, timeout: Duration, connections: usize) -> Result<Qdrant> {
        match &self.place {
            Place::Server(url) => self.server(url, timeout, connections).await,
            Place::Directory(path) => {
                let database = Database::builder().background(false).open(path);
                self.embedded(database, path)
            }
        }
    }

    /// Opens it as a target that nothing is written to. A directory that is not there is an empty one.
    ///
    /// # Errors
    /// As [`source`](Self::source).
    pub async fn plan_target(&self, timeout: Duration, connections: usize) -> Result<Qdrant> {
        match &self.place {
            Place::Directory(path) if !path.exists() => {
                self.embedded(Database::builder().open_in_memory(), path)
            }
            Place::Directory(_) | Place::Server(_) => self.source(timeout, connections).await,
        }
    }

    fn embedded(&self, database: vdb::Result<Database>, path: &Path) -> Result<Qdrant> {
        let database = database.map_err(|error| self.failed(explain(&error.to_string(), path)))?;
        Qdrant::on(database, path).map_err(|error| self.failed(error.to_string()))
    }

    async fn server(&self, url: &str, timeout: Duration, connections: usize) -> Result<Qdrant> {
        let mut options = OpenOptions::new()
            .target(url)
            // A key that is meant for one side is not shown to the other.
            .environment(Environment::default())
            .patience(PATIENCE)
            .call_timeout(timeout)
            .connections(connections);
        if let Some(key) = &self.key {
            options = options.api_key(key);
        }
        let opened = options.open().await;
        opened.map_err(|error| {
            self.failed(format!(
                "{}; this has to be the port of gRPC, which is 6334 unless it was changed (that of REST is 6333)",
                told(&error)
            ))
        })
    }

    fn failed(&self, problem: String) -> MigrateError {
        // Many errors begin with the place themselves.
        let place = self.to_string();
        let problem = problem
            .strip_prefix(&format!("{place}: "))
            .map_or(problem.clone(), str::to_owned);
        MigrateError::Open { place, problem }
    }
}

/// What to say of a directory that is no database, where it can be seen what it is.
fn explain(problem: &str, path: &Path) -> String {
    if path.join("raft_state.json").exists() || path.join("collections").join("0").exists() {
        return "this is the storage of a Qdrant server: start the server, and give its URL".to_owned();
    }
    if path.join("meta.json").exists() {
        return "this is a directory of Qdrant's Python client: `vdb import` takes it".to_owned();
    }
    if !path.exists() {
        return "there is no database here".to_owned();
    }
    problem.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_never_told() {
        let key = || Some("s3cret".to_owned());
        let endpoint = Endpoint::parse("https://cluster:6334/", key()).unwrap();
        assert_eq!(
            format!("{endpoint} {endpoint:?}"),
            "https://cluster:6334 Endpoint(https://cluster:6334)"
        );
        for (text, key) in [
            ("./my.db", key()),
            ("http://me:s3cret@a:6334", None),
            ("http://a:6334", Some("s3cret\n".to_owned())),
            ("http://a:6334", Some(String::new())),
        ] {
            let told = Endpoint::parse(text, key).unwrap_err().to_string();
            assert!(!told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn a_key_in_the_clear_is_noticed_unless_it_stays_here() {
        let shows = |text: &str, key: Option<&str>| {
            Endpoint::parse(text, key.map(str::to_owned)).unwrap().shows_key()
        };
        assert!(shows("http://far:6334", Some("k")));
        assert!(!shows("http://far:6334", None));
        assert!(!shows("https://far:6334", Some("k")));
        assert!(!shows("http://127.0.0.1:6334", Some("k")));
        assert!(!shows("http://localhost:6334", Some("k")));
    }

    #[test]
    fn a_directory_is_the_same_however_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().display().to_string();
        let parse = |text: &str| Endpoint::parse(text, None).unwrap();
        assert_eq!(parse(&path).to_string(), parse(&format!("{path}/./")).to_string());
        assert!(parse(&path).is(&parse(&format!("{path}/"))));
        assert!(!parse(&path).is(&parse("http://a:6334")));
        assert!(Endpoint::parse(":memory:", None).is_err() && Endpoint::parse("", None).is_err());
    }
}
