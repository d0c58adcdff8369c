//! How a command ends when it does not end well.

use std::process::ExitCode;

/// What the shell is told of a command that was interrupted: 128 and the number of SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// What the shell is told of a command that ran out of time, as `timeout` tells it.
const TIMED_OUT: u8 = 124;

/// Why a command stopped; decides the exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line cannot be carried out as it stands: exit code 2.
    Usage(String),
    /// The work failed: exit code 1.
    Failed(String),
    /// The work was done, its outcome is bad and has been reported (damage found, a point missing): exit code 1.
    Reported,
    /// The time of `--timeout` is up: exit code 124.
    TimedOut(String),
    /// A signal asked for the end; says what is done: exit code 130.
    Interrupted(String),
    /// Whoever read standard output has gone (`vdb scroll | head`). Nothing is wrong: exit code 0.
    ClosedPipe,
}

/// The outcome of a command, or of a part of one.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure with this message.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Failure::Failed(message.into())
    }

    /// A mistake on the command line that clap could not see.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::Usage(message.into())
    }

    /// The same with a line about what is done and what remains to be.
    pub(crate) fn and(self, more: &str) -> Self {
        let longer = |message: String| format!("{message}\n  {more}");
        match self {
            Failure::Failed(message) => Failure::Failed(longer(message)),
            Failure::TimedOut(message) => Failure::TimedOut(longer(message)),
            Failure::Interrupted(message) => Failure::Interrupted(longer(message)),
            Failure::Usage(_) | Failure::Reported | Failure::ClosedPipe => self,
        }
    }

    /// The same with the place where it happened before it.
    pub(crate) fn within(self, place: &str) -> Self {
        match self {
            Failure::Failed(message) if !place.is_empty() => Failure::Failed(format!("{place}: {message}")),
            Failure::TimedOut(message) if !place.is_empty() => {
                Failure::TimedOut(format!("{place}: {message}"))
            }
            Failure::Failed(_)
            | Failure::TimedOut(_)
            | Failure::Usage(_)
            | Failure::Interrupted(_)
            | Failure::Reported
            | Failure::ClosedPipe => self,
        }
    }

    /// What the shell is told.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Usage(_) => ExitCode::from(2),
            Failure::Failed(_) | Failure::Reported => ExitCode::from(1),
            Failure::TimedOut(_) => ExitCode::from(TIMED_OUT),
            Failure::Interrupted(_) => ExitCode::from(INTERRUPTED),
            Failure::ClosedPipe => ExitCode::SUCCESS,
        }
    }

    /// What is still to be said on standard error.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Failure::Usage(message)
            | Failure::Failed(message)
            | Failure::TimedOut(message)
            | Failure::Interrupted(message) => Some(message),
            Failure::Reported | Failure::ClosedPipe => None,
        }
    }
}

impl From<vdb::Error> for Failure {
    fn from(error: vdb::Error) -> Self {
        if matches!(error, vdb::Error::Cancelled) {
            // Nothing but a signal cancels what this program asks for.
            return Failure::Interrupted("interrupted".to_owned());
        }
        if let vdb::Error::Timeout { doing, limit } = error {
            return Failure::TimedOut(format!(
                "{doing} took longer than the {limit:?} of --timeout; allow more, or ask for less"
            ));
        }
        if matches!(error, vdb::Error::UnknownVector { .. }) {
            return Failure::Failed(format!("{error}; --using names the vector that is meant"));
        }
        Failure::Failed(error.to_string())
    }
}

impl From<vdb_interop::RowError> for Failure {
    fn from(error: vdb_interop::RowError) -> Self {
        Failure::Failed(error.to_string())
    }
}

impl From<vdb_measure::SplitError> for Failure {
    fn from(error: vdb_measure::SplitError) -> Self {
        Failure::Failed(error.to_string())
    }
}
