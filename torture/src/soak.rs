//! soak

/// soak
#[derive(clap::Args)]
pub(crate) struct Args {}
/// child
#[derive(clap::Args)]
pub(crate) struct ChildArgs {}
pub(crate) fn run(_: &Args) -> bool { true }
pub(crate) fn write(_: &ChildArgs) -> bool { true }
