//! A URL or a directory, opened as source or target.

use std::fmt;
use std::net::IpAddr;
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
    /// When it is neither, when a URL has anything but a host, a port and a path (secrets that other parts may have would be told
    /// and kept), when a key is given for a directory, or the key is none that a header can have; the key is not told.
    pub fn parse(text: &str, key: Option<String>) -> Result<Self> {
        let usage = |why: String| Err(MigrateError::Usage(why));
        let place = match BackEnd::parse(text) {
            BackEnd::Memory => return usage("memory is no place to migrate to or from".to_owned()),
            BackEnd::Directory(path) if path.as_os_str().is_empty() => {
                return usage("an empty text is neither a URL nor a directory".to_owned());
            }
            BackEnd::Directory(path) => {
                if let Some(problem) = address(text).filter(|_| !path.exists()) {
                    return usage(problem);
                }
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
                // A password may have a slash in it.
                if rest.contains('@') {
                    return usage(WITH_NAME.to_owned());
                }
                if rest.contains(['?', '#']) {
                    return usage(
                        "a URL with a question mark or a number sign in it: it is that of a server, as http://HOST:6334; keys \
                         are given with --from-api-key and --to-api-key, or in VDB_FROM_API_KEY and VDB_TO_API_KEY"
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
        let is_clear = |scheme: &str| scheme.eq_ignore_ascii_case("http");
        let open = url.split_once("://").filter(|(scheme, _)| is_clear(scheme));
        self.key.is_some() && open.is_some_and(|(_, rest)| !is_local(host(rest)))
    }

    /// Whether both are the same place, as far as can be told from here: servers by their URLs, directories by what the system says
    /// of them.
    pub fn is(&self, other: &Endpoint) -> bool {
        let real = |place: &Place| match place {
            Place::Directory(path) => {
                Place::Directory(std::fs::canonicalize(path).unwrap_or_else(|_| path.clone()))
            }
            Place::Server(url) => Place::Server(url.clone()),
        };
        let same = match (&self.place, &other.place) {
            (Place::Directory(a), Place::Directory(b)) => is_one_directory(a, b),
            (Place::Directory(_) | Place::Server(_), _) => false,
        };
        same || real(&self.place) == real(&other.place)
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

    /// Opens it as a target that nothing is written to. A directory that is not there, or has nothing in it, is an empty one.
    ///
    /// # Errors
    /// As [`source`](Self::source).
    pub async fn plan_target(&self, timeout: Duration, connections: usize) -> Result<Qdrant> {
        match &self.place {
            Place::Directory(path) if !path.exists() || is_empty(path) => {
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

/// What to say of secrets in a URL.
const WITH_NAME: &str = "a URL with a name or password in it: servers know keys, which --from-api-key and --to-api-key give, or \
                         VDB_FROM_API_KEY and VDB_TO_API_KEY";

/// What to say of a text that looks as the address of a server does, and has no scheme.
fn address(text: &str) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    if host.is_empty() || host.contains('/') || port.parse::<u16>().is_err() {
        return None;
    }
    Some(if host.contains('@') {
        WITH_NAME.to_owned()
    } else {
        format!("there is no directory {text}; did you mean http://{text}?")
    })
}

/// The host of what follows the scheme in a URL.
fn host(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or_default();
    if let Some(end) = authority.find(']') {
        return authority[..end].trim_start_matches('[');
    }
    authority.split(':').next().unwrap_or_default()
}

/// Whether a host is this machine.
fn is_local(host: &str) -> bool {
    let loopback = host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    loopback || host.eq_ignore_ascii_case("localhost")
}

/// Whether two paths are one directory, however it is mounted or spelled.
#[cfg(unix)]
fn is_one_directory(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| {
        let of = std::fs::metadata(path).ok()?;
        Some((of.dev(), of.ino()))
    };
    identity(a).is_some() && identity(a) == identity(b)
}

/// Whether two paths are one directory: elsewhere their full names say so.
#[cfg(not(unix))]
fn is_one_directory(_: &Path, _: &Path) -> bool {
    false
}

/// Whether there is a directory with nothing in it.
fn is_empty(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut files| files.next().is_none())
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
            ("http://me:s3/cret@a:6334", None),
            ("http://a:6334?api-key=s3cret", None),
            ("http://a:6334/#s3cret", None),
            ("me:s3cret@a:6334", None),
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
        assert!(!shows("http://[::1]:6334", Some("k")));
        // These only begin as this machine does.
        assert!(shows("http://localhost.far.example:6334", Some("k")));
        assert!(shows("http://127.far.example:6334", Some("k")));
        assert!(shows("HTTP://far:6334", Some("k")));
    }

    #[test]
    fn a_server_without_a_scheme_is_no_directory() {
        let told = Endpoint::parse("localhost:6334", None).unwrap_err().to_string();
        assert!(told.contains("did you mean http://localhost:6334?"), "{told}");
        assert!(Endpoint::parse("./a:6334", None).is_ok() && Endpoint::parse("a:b", None).is_ok());
    }

    #[test]
    fn a_directory_is_the_same_however_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().display().to_string();
        let parse = |text: &str| Endpoint::parse(text, None).unwrap();
        assert_eq!(parse(&path).to_string(), parse(&format!("{path}/./")).to_string());
        assert!(parse(&path).is(&parse(&format!("{path}/"))));
        assert!(!parse(&path).is(&parse("http://a:6334")));
        let other = tempfile::tempdir().unwrap();
        assert!(!parse(&path).is(&parse(&other.path().display().to_string())));
        assert!(Endpoint::parse(":memory:", None).is_err() && Endpoint::parse("", None).is_err());
    }
}
