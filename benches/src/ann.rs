//! The files of ann-benchmarks (Aumüller, Bernhardsson, Faithfull, "ANN-Benchmarks: a benchmarking tool for approximate
//! nearest neighbor algorithms", 2020): HDF5 with `train` (rows x dim), `test` (queries x dim), `neighbors` (queries x
//! k, row numbers, nearest first), `distances` (not needed here), and the attribute `distance`.

use std::path::Path;

use vdb::Distance;

use crate::error::{Error, Result};

/// What such a file holds.
pub(crate) struct AnnFile {
    pub(crate) dim: usize,
    pub(crate) distance: Distance,
    /// Row-major.
    pub(crate) vectors: Vec<f32>,
    pub(crate) queries: Vec<Vec<f32>>,
    /// Row numbers, nearest first, for each query.
    pub(crate) neighbors: Vec<Vec<u64>>,
}

/// Reads rows, the first `queries` queries and their neighbours. `distance` goes before what the file says.
pub(crate) fn read(path: &Path, queries: usize, distance: Option<Distance>) -> Result<AnnFile> {
    let wrong = |e: hdf5_reader::error::Error| Error::data(path, e.to_string());
    let file = hdf5_reader::Hdf5File::open(path).map_err(wrong)?;
    let matrix = |name: &str| {
        let data = file.dataset(name).map_err(wrong)?;
        match *data.shape() {
            [rows, columns] => Ok((data, rows as usize, columns as usize)),
            _ => Err(Error::data(path, format!("{name} is no matrix"))),
        }
    };
    let floats = |name: &str| {
        let (data, rows, columns) = matrix(name)?;
        let numbers = data.read_array::<f32>().map_err(wrong)?;
        Ok::<_, Error>((numbers.into_iter().collect::<Vec<f32>>(), rows, columns))
    };
    let (vectors, rows, dim) = floats("train")?;
    let (asked, _, query_dim) = floats("test")?;
    if rows == 0 || dim == 0 || query_dim != dim {
        let message = format!("{rows} rows of {dim} numbers, queries of {query_dim}");
        return Err(Error::data(path, message));
    }
    if let Some(at) = vectors
        .iter()
        .chain(&asked)
        .position(|number| !number.is_finite())
    {
        let message = format!("number {at} of train and test is not finite");
        return Err(Error::data(path, message));
    }
    let (neighbors, _, k) = matrix("neighbors")?;
    let neighbors = neighbors.read_array::<i32>().map_err(wrong)?;
    let neighbors: Vec<i32> = neighbors.into_iter().collect();
    let distance = match distance {
        Some(distance) => distance,
        None => {
            let root = file.root_group().map_err(wrong)?;
            let name = root.attribute("distance").and_then(|name| name.read_string());
            distance_named(&name.map_err(wrong)?).map_err(|message| Error::data(path, message))?
        }
    };
    let queries: Vec<Vec<f32>> = asked
        .chunks_exact(dim)
        .take(queries)
        .map(<[f32]>::to_vec)
        .collect();
    let row = |row: &i32| u64::try_from(*row).unwrap_or(u64::MAX);
    let truth = neighbors.chunks_exact(k.max(1)).take(queries.len());
    Ok(AnnFile {
        dim,
        distance,
        vectors,
        neighbors: truth.map(|rows| rows.iter().map(row).collect()).collect(),
        queries,
    })
}

fn distance_named(name: &str) -> Result<Distance, String> {
    match name.trim_end_matches('\0') {
        "angular" | "cosine" => Ok(Distance::Cosine),
        "euclidean" => Ok(Distance::Euclid),
        "dot" | "ip" => Ok(Distance::Dot),
        "manhattan" => Ok(Distance::Manhattan),
        other => Err(format!(
            "its distance {other} is none of ours; name one with --distance"
        )),
    }
}

#[cfg(test)]
mod tests;
