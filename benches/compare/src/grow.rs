//! A data set made larger.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use vdb_benches::{Dataset, Error, Result, mixtures};

/// What is made of what.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
The vectors of DATA come first, in the order of the file, then vectors among them: each \
is drawn from the normal distribution with the mean and covariance of a row's near neighbours. \
Measure both with `vdb bench search`, or with `vdb-compare run --sizes`, to see how cost grows.

Example:
  vdb-compare grow --data vectors.npy --rows 1000000 --out larger.fvecs")]
pub(crate) struct Args {
    /// Vectors to start from
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Vectors of the larger set
    #[arg(long, value_name = "N")]
    rows: usize,
    /// What looks random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Write the larger set here
    #[arg(long, value_name = "FILE.fvecs", value_parser = fvecs)]
    out: PathBuf,
}

fn fvecs(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension() {
        Some(ending) if ending == "fvecs" => Ok(path),
        Some(_) | None => Err("expected a name that ends in .fvecs".to_owned()),
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let (vectors, dim) = Dataset::vectors_of(&args.data)?;
    let rows = vectors.len() / dim;
    let more = args.rows.checked_sub(rows).ok_or_else(|| {
        Error::data(
            &args.data,
            format!("{rows} vectors already, {} wanted", args.rows),
        )
    })?;
    let mut out = Fvecs::create(&args.out)?;
    for vector in vectors.chunks_exact(dim) {
        out.push(vector)?;
    }
    mixtures(&vectors, dim, more, args.seed, |vector| out.push(vector))?;
    out.finish()
}

/// A file of vectors that is being written, in place of what it held.
pub(crate) struct Fvecs<'a> {
    path: &'a Path,
    out: BufWriter<File>,
    written: u64,
}

impl<'a> Fvecs<'a> {
    pub(crate) fn create(path: &'a Path) -> Result<Fvecs<'a>> {
        let file = File::create(path).map_err(Error::file(path))?;
        Ok(Fvecs {
            path,
            out: BufWriter::new(file),
            written: 0,
        })
    }

    /// Adds a vector as `.fvecs` has it: how many numbers, then the numbers.
    pub(crate) fn push(&mut self, vector: &[f32]) -> Result<()> {
        let mut bytes = (vector.len() as u32).to_le_bytes().to_vec();
        bytes.extend(vector.iter().flat_map(|x| x.to_le_bytes()));
        self.out.write_all(&bytes).map_err(|error| self.failed(error))?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Writes what is not written yet.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.out.flush().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> Error {
        if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            let megabytes = self.written as f64 / 1e6;
            let advice = "make room there, or name another disk with --out";
            return Error::data(self.path, format!("{error}, after {megabytes:.1} MB: {advice}"));
        }
        Error::file(self.path)(error)
    }
}

#[cfg(test)]
mod tests;
