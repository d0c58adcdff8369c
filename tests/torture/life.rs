//! A process that is left alone for a while, then killed.

use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often it is looked whether the process has ended by itself.
const LOOK: Duration = Duration::from_millis(20);

/// What came of a process.
#[derive(Debug)]
pub struct Life {
    /// All that it wrote to its standard output; the last line may be cut off.
    pub said: String,
    /// Set where it ended before it was killed.
    pub ended: Option<ExitStatus>,
}

impl Life {
    /// Starts a process, and kills it after `time`.
    ///
    /// # Errors
    /// When it cannot be started, watched, killed or heard.
    pub fn take(command: &mut Command, time: Duration) -> io::Result<Life> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let born = Instant::now();
        let out = child.stdout.take();
        // Otherwise it would wait once the pipe is full.
        let listener = thread::spawn(move || {
            let mut heard = Vec::new();
            let read = out.map_or(Ok(0), |mut out| out.read_to_end(&mut heard));
            read.map(|_| String::from_utf8_lossy(&heard).into_owned())
        });
        let mut ended = None;
        while born.elapsed() < time && ended.is_none() {
            thread::sleep(LOOK.min(time.saturating_sub(born.elapsed())));
            ended = child.try_wait()?;
        }
        // SIGKILL.
        let _ = child.kill();
        let status = child.wait()?;
        let said = listener
            .join()
            .map_err(|_| io::Error::other("the thread that listens to the process ended"))??;
        Ok(Life {
            said,
            // With a code, it ended between the last look and the kill.
            ended: ended.or(Some(status).filter(|status| status.code().is_some())),
        })
    }
}
