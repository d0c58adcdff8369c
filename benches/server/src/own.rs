//! A server of ours that is started, asked, stopped or killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use vdb_benches::{Error, Result};

/// How often a server that starts is asked whether it is ready, and how long.
const LOOK: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(120);

/// How a server is started on a directory, with two ports to listen on: REST, gRPC.
pub type Launch<'a> = &'a dyn Fn(&Path, u16, u16) -> Command;

/// The command line that serves a directory.
pub fn served_by(program: &Path) -> impl Fn(&Path, u16, u16) -> Command {
    let program = program.to_owned();
    move |dir, rest, grpc| {
        let mut command = Command::new(&program);
        command.arg("serve").arg(dir).arg("--quiet");
        command.args(["--http-port", &rest.to_string(), "--grpc-port", &grpc.to_string()]);
        command
    }
}

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Own {
    child: Child,
    rest: u16,
    grpc: u16,
    started: Instant,
}

impl Own {
    /// Starts a server and waits until it is ready.
    pub fn start(launch: Launch<'_>, dir: &Path) -> Result<Own> {
        let (rest, grpc) = (free_port()?, free_port()?);
        let started = Instant::now();
        let child = launch(dir, rest, grpc)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Error::Program(format!("the server cannot be started: {error}")))?;
        let mut own = Own {
            child,
            rest,
            grpc,
            started,
        };
        own.drain();
        own.wait()?;
        Ok(own)
    }

    /// Lets the server write whatever it says.
    fn drain(&mut self) {
        let said = self.child.stdout.take();
        std::thread::spawn(move || {
            let lines = said.map(BufReader::new).into_iter().flat_map(BufRead::lines);
            lines.take_while(std::result::Result::is_ok).count()
        });
    }

    fn wait(&mut self) -> Result<()> {
        while !is_ready(self.rest) {
            if let Some(status) = self.child.try_wait().map_err(lost)? {
                return Err(Error::Program(format!("the server has ended: {status}")));
            }
            if self.started.elapsed() > PATIENCE {
                return Err(Error::Program("the server does not become ready".to_owned()));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// How long ago it was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Where REST is.
    pub fn rest(&self) -> String {
        format!("http://127.0.0.1:{}", self.rest)
    }

    /// Where gRPC is.
    pub fn grpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, whatever it is doing.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill().map_err(lost)?;
        self.child.wait().map(drop).map_err(lost)
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Error::Program("a process without a number".to_owned()))?;
        kill_process(pid, Signal::TERM).map_err(|error| lost(error.into()))?;
        let status = self.child.wait().map_err(lost)?;
        if status.success() {
            Ok(())
        } else {
            Err(Error::Program(format!("the server did not end well: {status}")))
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lost(error: std::io::Error) -> Error {
    Error::Program(format!("the server: {error}"))
}

/// A port that nobody listens on.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0");
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(|error| Error::Program(format!("no port: {error}")))
}

/// Asks without a client: those have more to do than the server.
fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
}

/// What a process takes besides memory; nothing where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Threads.
    pub threads: usize,
    /// Open files.
    pub files: usize,
    /// Mappings.
    pub mappings: usize,
}

impl Held {
    /// What the process of this number has now.
    pub fn by(process: u32) -> Held {
        let entries =
            |what: &str| std::fs::read_dir(format!("/proc/{process}/{what}")).map_or(0, Iterator::count);
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
        Held {
            threads: entries("task"),
            files: entries("fd"),
            mappings: maps.lines().count(),
        }
    }
}

/// Bytes that a directory takes of its disk: what is allocated, directories included.
pub fn disk_bytes(dir: &Path) -> u64 {
    let own = std::fs::metadata(dir).map_or(0, |meta| meta.blocks() * 512);
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let below = entries.map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => disk_bytes(&entry.path()),
        Ok(meta) => meta.blocks() * 512,
        Err(_) => 0,
    });
    own + below.sum::<u64>()
}
