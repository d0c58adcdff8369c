//! The `vdb` command as scripts and people use it: the built binary, run in directories of its own.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod harness;

#[cfg(test)]
mod beyond;
#[cfg(test)]
mod careful;
#[cfg(test)]
mod directories;
#[cfg(test)]
mod exporting;
#[cfg(test)]
mod housekeeping;
#[cfg(test)]
mod importing;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod loading;
#[cfg(test)]
#[cfg(feature = "serve")]
mod migrating;
#[cfg(test)]
mod options;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod repairing;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod surviving;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod vectors;
