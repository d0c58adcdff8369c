//! A data set made larger.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use vdb_benches::{Dataset, Error, Result, mixtures};

/// What is made of what.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
The vectors of DATA come first, in the order of the file, then mixtures of each other's near neighbours with a little noise. \
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
    let file = File::create(&args.out).map_err(Error::file(&args.out))?;
    let mut out = BufWriter::new(file);
    for vector in vectors.chunks_exact(dim) {
        write(&mut out, vector, &args.out)?;
    }
    mixtures(&vectors, dim, more, args.seed, |vector| {
        write(&mut out, vector, &args.out)
    })?;
    out.flush().map_err(Error::file(&args.out))
}

/// A vector as `.fvecs` has it: how many numbers, then the numbers.
fn write(out: &mut impl Write, vector: &[f32], path: &Path) -> Result<()> {
    let mut bytes = (vector.len() as u32).to_le_bytes().to_vec();
    bytes.extend(vector.iter().flat_map(|x| x.to_le_bytes()));
    out.write_all(&bytes).map_err(Error::file(path))
}
