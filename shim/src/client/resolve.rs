//! Which back end it is to be.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use qdrant_client::QdrantError;
use qdrant_client::config::QdrantConfig;

use super::{Call, Qdrant, QdrantResult};

/// The text that means memory.
const MEMORY: &str = ":memory:";
/// Where a server of this machine listens for gRPC unless it is told otherwise.
const LOCAL: &str = "http://localhost:6334";
/// Its port, and that of REST, which is the one that URLs of Qdrant mostly have.
const GRPC_PORT: u16 = 6334;
const REST_PORT: u16 = 6333;
/// How long a server that was named has to answer, where nobody says.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a call may take, and how many connections there are, as the official client has it.
const CALL: Duration = Duration::from_secs(5);
const CONNECTIONS: usize = 3;
/// How long one that nobody named has.
const GUESS: Duration = Duration::from_millis(500);

/// What a client is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackEnd {
    /// A server, at this URL.
    Server(String),
    /// An engine in this process, on a directory.
    Directory(PathBuf),
    /// An engine in this process, in memory.
    Memory,
}

impl BackEnd {
    /// What a text means: a URL is a server, `:memory:` is memory, everything else a directory.
    pub fn parse(target: &str) -> Self {
        if target == MEMORY {
            BackEnd::Memory
        } else if target.contains("://") {
            BackEnd::Server(target.to_owned())
        } else {
            BackEnd::Directory(target.into())
        }
    }

    /// True when the data are in this process and nothing goes over a network.
    pub fn is_embedded(&self) -> bool {
        !matches!(self, BackEnd::Server(_))
    }
}

impl fmt::Display for BackEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BackEnd::Server(url) => f.write_str(url),
            BackEnd::Directory(path) => path.display().fmt(f),
            BackEnd::Memory => f.write_str(MEMORY),
        }
    }
}

/// What the surroundings of a program say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `QDRANT_URL`: a server.
    pub url: Option<String>,
    /// `QDRANT_API_KEY`: its key, unless one is given.
    pub api_key: Option<String>,
    /// `VDB_PATH`: a directory.
    pub path: Option<PathBuf>,
}

impl Environment {
    /// That of this process. Variables that are empty count as not set.
    pub fn of_process() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Environment {
            url: text("QDRANT_URL"),
            api_key: text("QDRANT_API_KEY"),
            path: std::env::var_os("VDB_PATH")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
        }
    }
}

/// How a client finds its back end. Each of these is tried in turn, until one is there:
///
/// 1. [`target`](Self::target): a URL, `:memory:` or a directory.
/// 2. `QDRANT_URL`, with `QDRANT_API_KEY`.
/// 3. A server of this machine that answers at port 6334, without a key: no key is shown to who happens to listen there.
/// 4. [`path`](Self::path), or the directory that `VDB_PATH` names.
/// 5. Memory, with a warning: what is written is gone when the program ends.
///
/// A server that is named, by 1 or 2, and does not answer is an error, unless [`fall_back`](Self::fall_back) says that it is not.
/// Each step is told by `tracing`, at the level `INFO`.
///
/// ```
/// use vdb_qdrant::client::{BackEnd, Environment, OpenOptions};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let client = OpenOptions::new().environment(Environment::default()).target(":memory:").open().await?;
/// assert_eq!(client.back_end(), &BackEnd::Memory);
/// # Ok::<_, qdrant_client::QdrantError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    target: Option<String>,
    path: Option<PathBuf>,
    api_key: Option<String>,
    fall_back: bool,
    look_for_server: bool,
    patience: Duration,
    calls: Calls,
    environment: Option<Environment>,
}

/// How calls to a server are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Calls {
    timeout: Duration,
    connections: usize,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions {
            target: None,
            path: None,
            api_key: None,
            fall_back: false,
            look_for_server: true,
            patience: PATIENCE,
            calls: Calls {
                timeout: CALL,
                connections: CONNECTIONS,
            },
            environment: None,
        }
    }
}

/// One of the things that are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    back_end: BackEnd,
    /// Who says so.
    why: &'static str,
    /// Another step may be taken where this one leads nowhere.
    may_fail: bool,
    patience: Duration,
    calls: Calls,
    /// Somebody meant this server to be asked: one that is only looked for is shown no key, whoever it is.
    trusted: bool,
}

impl OpenOptions {
    /// Nothing said.
    pub fn new() -> Self {
        OpenOptions::default()
    }

    /// On this and nothing else: a URL, `:memory:` or a directory.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// The directory, where there is no server.
    #[must_use]
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The key of the server.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Whether a server that is named and does not answer is passed over. It is not by default: a program that writes to another
    /// place than it was told to loses what it writes.
    #[must_use]
    pub fn fall_back(mut self, fall_back: bool) -> Self {
        self.fall_back = fall_back;
        self
    }

    /// Whether a server is looked for on this machine that nobody named; it is by default.
    #[must_use]
    pub fn look_for_server(mut self, look: bool) -> Self {
        self.look_for_server = look;
        self
    }

    /// How long a server that is named has to answer; five seconds by default.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long a call to a server may take; five seconds by default.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.calls.timeout = timeout;
        self
    }

    /// Connections to a server, which calls take in turns; three by default.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.calls.connections = connections.max(1);
        self
    }

    /// Surroundings in the place of those of this process.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    fn steps(&self, environment: &Environment) -> Vec<Step> {
        let step = |back_end, why, may_fail| Step {
            back_end,
            why,
            may_fail,
            patience: self.patience,
            calls: self.calls,
            trusted: true,
        };
        let mut steps = Vec::new();
        if let Some(target) = &self.target {
            let back_end = BackEnd::parse(target);
            let last = back_end.is_embedded() || !self.fall_back;
            steps.push(step(back_end, "the program names it", !last));
            if last {
                return steps;
            }
        }
        if let Some(url) = &environment.url {
            steps.push(step(
                BackEnd::Server(url.clone()),
                "QDRANT_URL names it",
                self.fall_back,
            ));
            if !self.fall_back {
                return steps;
            }
        }
        if self.look_for_server {
            steps.push(Step {
                patience: GUESS.min(self.patience),
                trusted: false,
                ..step(BackEnd::Server(LOCAL.to_owned()), "it may be running here", true)
            });
        }
        let given = self.path.clone().map(|path| (path, "the program names it"));
        let path = given.or_else(|| Some((environment.path.clone()?, "VDB_PATH names it")));
        steps.push(match path {
            Some((path, why)) => step(BackEnd::Directory(path), why, false),
            None => step(BackEnd::Memory, "nothing else is there", false),
        });
        steps
    }

    /// Finds the back end and opens it. Needs a tokio runtime where a server may be asked.
    ///
    /// # Errors
    /// When a server that is named does not answer, or a directory cannot be opened.
    pub async fn open(&self) -> QdrantResult<Qdrant> {
        let environment = self.environment.clone().unwrap_or_else(Environment::of_process);
        let key = self.api_key.clone().or_else(|| environment.api_key.clone());
        let asked = self.target.is_some();
        for step in self.steps(&environment) {
            let Step { back_end, why, .. } = &step;
            let shown = key.as_deref().filter(|_| step.trusted);
            match step.open(shown).await {
                Ok(client) => {
                    if *back_end == BackEnd::Memory && !asked {
                        tracing::warn!(
                            "no server and no directory: data are in memory and gone when the program ends; set \
                             QDRANT_URL or VDB_PATH"
                        );
                    }
                    tracing::info!(%back_end, why, "opened");
                    return Ok(client);
                }
                Err(error) if step.may_fail => tracing::info!(%back_end, why, %error, "not there"),
                Err(error) => return Err(error),
            }
        }
        // The last step may not fail, so that there is always an answer before.
        Err(QdrantError::Io(std::io::Error::other(
            "no back end is left to try",
        )))
    }
}

impl Step {
    fn open<'a>(&'a self, key: Option<&'a str>) -> Call<'a, Qdrant> {
        Box::pin(async move {
            match &self.back_end {
                BackEnd::Directory(path) => Qdrant::open(path),
                BackEnd::Memory => Qdrant::in_memory(),
                BackEnd::Server(url) => server(url, key, self.patience, self.calls).await,
            }
        })
    }
}

/// A client of a server that has just answered.
async fn server(url: &str, key: Option<&str>, patience: Duration, calls: Calls) -> QdrantResult<Qdrant> {
    let mut config = QdrantConfig::from_url(&grpc_url(url)?)
        .connect_timeout(patience)
        .timeout(calls.timeout)
        // That check writes to the standard output.
        .skip_compatibility_check();
    config.api_key = key.map(str::to_owned);
    config.pool_size = calls.connections;
    let client = config.build()?;
    let answer = tokio::time::timeout(patience, client.health_check());
    let late = |_| {
        let text = format!(
            "{url} did not answer within {patience:?}: is the server running, and is this its gRPC port?"
        );
        QdrantError::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, text))
    };
    let server = answer.await.map_err(late)??;
    tracing::info!(
        url,
        title = server.title,
        version = server.version,
        "the server answers"
    );
    Ok(Qdrant::remote(client))
}

/// The URL of the gRPC interface of a server: that of REST is one port before it, and without a port it is the usual one.
fn grpc_url(url: &str) -> QdrantResult<String> {
    let uri: http::Uri = url.parse()?;
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        let text = format!("{url} is no URL of a server: use http://host:6334 or https://host:6334");
        return Err(QdrantError::ConversionError(text));
    };
    let port = match uri.port_u16() {
        None | Some(REST_PORT) => GRPC_PORT,
        Some(port) => port,
    };
    Ok(format!("{scheme}://{host}:{port}"))
}

#[cfg(test)]
mod tests;
