//! How a command ends when it does not end well.

use std::process::ExitCode;

/// Why a command stopped; decides the exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line cannot be carried out as it stands: exit code 2.
    Usage(String),
    /// The work failed: exit code 1.
    Failed(String),
    /// The work was done, its outcome is bad and has been reported (damage found, a point missing): exit code 1.
    Reported,
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

    /// What the shell is told.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Usage(_) => ExitCode::from(2),
            Failure::Failed(_) | Failure::Reported => ExitCode::from(1),
            Failure::ClosedPipe => ExitCode::SUCCESS,
        }
    }

    /// What is still to be said on standard error.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Failure::Usage(message) | Failure::Failed(message) => Some(message),
            Failure::Reported | Failure::ClosedPipe => None,
        }
    }
}

impl From<vdb::Error> for Failure {
    fn from(error: vdb::Error) -> Self {
        Failure::Failed(error.to_string())
    }
}

impl From<vdb_interop::RowError> for Failure {
    fn from(error: vdb_interop::RowError) -> Self {
        Failure::Failed(error.to_string())
    }
}
