//! What `vdb-compare run` takes, and which of it would be of no effect.

use std::ffi::OsString;
use std::path::PathBuf;

use vdb_benches::{DataArgs, Error, IngestPlan, Result};
use vdb_measure::Setting;

use crate::parts::Part;

const AFTER: &str = "\
Writes DIR/parts/*.jsonl, DIR/lines.jsonl, DIR/report.md and DIR/*.svg. Each part is kept in a file of its own: --parts measures \
some again and reports them with what the others came to before; --resume leaves out those that are there. Use one DIR a data \
set. With --edge, ours is measured by that program too, in turns with Qdrant's core in one process; without it, here. Over \
--sizes it is then measured here as well, as \"alone\": no others can be asked in turns with it beyond the data. \
Everything runs one after the other: leave the machine alone meanwhile.

An option that shapes only what --parts leaves out is refused. A program or a list of sizes is not: what it came to before is \
reported.

The part ingest writes the first rows in batches of 1, 100 and 1000 from 1 and 16 threads below DIR, so put that on the disk \
to be measured: to ours with each level of durability, and with --edge to Qdrant's core, as a server does with wait=true \
and flushed one by one. A server's own figures can be added with --lines.

The parts counts, sparse and hybrid need WordNet's payloads (words, pos, lexfile, lemmas, gloss): points are counted under every \
kind of condition with an index on every field, glosses are found by BM25 over sparse vectors, and dense vectors and glosses \
are fused by reciprocal ranks. Other fields are made of the row's number. With --edge a count that differs fails the part.

Sizes above the number of rows are of vectors among them beside the rows themselves (see `grow`), with the same queries. \
--sizes-peers has scripts measure systems over the same rows, so that growth that all share can be told from growth of one: a set \
larger than the data is written as DIR/grown/NAME.fvecs for them (4 bytes a number) and removed when a script has ended. \
Programs that read no .hdf5 are given the same rows as DIR/data/NAME.fvecs, which goes in the end.

Examples:
  vdb-compare run --data vectors.npy --payload rows.jsonl --edge target/release/edge-bench --peers benches/peers/peers.py
  vdb-compare run --data vectors.npy --sizes 10000,100000,1000000 --peers benches/peers/peers.py --sizes-peers hnswlib --parts sizes
  vdb-compare run --data vectors.npy --vdb target/release/vdb --parts cold,clients
  vdb-compare run --data vectors.npy --edge target/release/edge-bench --parts ingest
  vdb-compare run --data vectors.npy --payload rows.jsonl --edge target/release/edge-bench --parts counts,sparse,hybrid";

/// What is measured
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) data: DataArgs,

    /// Measure searches without a filter over the first N rows as well, for each N, to see how everything grows
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) sizes: Vec<usize>,

    /// Have the scripts measure these systems over --sizes, too: they are given --only LIST and --rows N then, the names are
    /// theirs. Of all systems a million rows would take hours, so none is measured unless it is named
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        requires = "peers",
        requires = "sizes"
    )]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) sizes_peers: Vec<String>,

    /// Settings of searches without a filter: widths of the beam, default, exact
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    #[arg(default_value = "10,16,24,32,48,64,96,128,200,300,512,default")]
    pub(crate) ef: Vec<Setting>,

    /// Settings of searches with a filter
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "16,64,256,default"
    )]
    pub(crate) filtered_ef: Vec<Setting>,

    /// Filters whose name contains one of these: lemmas (without an index), pairs as pos=verb+tags=t10 and not are
    /// measured only when they are named
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) cells: Vec<String>,

    /// Measure these parts only; else all that there is a program for
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    #[arg(default_values_t = [Part::Plain, Part::Filters, Part::Sizes, Part::Builds, Part::Clients, Part::Cold, Part::Ingest, Part::Counts, Part::Sparse, Part::Hybrid, Part::Peers], value_enum)]
    pub(crate) parts: Vec<Part>,

    /// Leave out parts that were measured before
    #[arg(long)]
    pub(crate) resume: bool,

    /// Shares of the files that can be in memory, in per cent
    #[arg(long, value_name = "LIST", default_value = "100,50,25", requires = "vdb")]
    pub(crate) cached: String,

    /// Threads that ask at once
    #[arg(long, value_name = "LIST", default_value = "1,2", requires = "vdb")]
    pub(crate) clients: String,

    /// Vectors that the part ingest writes; a tenth as many where each is a write of its own
    #[arg(long, value_name = "N", default_value_t = IngestPlan::default().rows, conflicts_with = "smoke", value_parser = rows)]
    pub(crate) ingest_rows: usize,

    /// The program vdb
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) vdb: Option<PathBuf>,

    /// Ask every query twice and no more, and write few rows once: to see whether it runs, not how fast. Scripts are given
    /// --passes 2 --seconds 0 then
    #[arg(long)]
    pub(crate) smoke: bool,

    /// The program edge-bench, built in benches/edge
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) edge: Option<PathBuf>,

    /// With --edge: keep the databases here; those that are there are asked as they are, so remove it when data or
    /// programs have changed
    #[arg(long, value_name = "DIR", requires = "edge")]
    pub(crate) keep: Option<PathBuf>,

    /// A Python script that prints JSON lines; it is given --data, --queries or --split, --distance if it was given here, and
    /// each --peers-arg. Several are run in turn
    #[arg(long, value_name = "SCRIPT")]
    pub(crate) peers: Vec<PathBuf>,

    /// What runs the scripts
    #[arg(long, value_name = "PROGRAM", default_value = "python3", requires = "peers")]
    pub(crate) python: PathBuf,

    /// A further argument of the scripts
    #[arg(long, value_name = "ARG", requires = "peers", allow_hyphen_values = true)]
    pub(crate) peers_arg: Vec<OsString>,

    /// Files of lines that were measured before, or elsewhere
    #[arg(long, value_name = "FILE")]
    pub(crate) lines: Vec<PathBuf>,

    /// Where lines, tables and plots go
    #[arg(long, value_name = "DIR", default_value = "target/compare")]
    pub(crate) out: PathBuf,

    /// Write the plots here too
    #[arg(long, value_name = "DIR")]
    pub(crate) plots: Option<PathBuf>,
}

fn rows(text: &str) -> Result<usize, String> {
    let rows = text.parse().ok().filter(|rows| *rows > 0);
    rows.ok_or_else(|| "expected a number from 1 up".to_owned())
}

/// Options that shape some parts only, by their names in [`Args`].
const SHAPES: [(&str, &[Part]); 8] = [
    ("ef", &[Part::Plain, Part::Sizes, Part::Builds]),
    ("filtered_ef", &[Part::Filters]),
    ("cells", &[Part::Filters]),
    ("cached", &[Part::Cold]),
    ("clients", &[Part::Clients]),
    ("ingest_rows", &[Part::Ingest]),
    (
        "keep",
        &[
            Part::Plain,
            Part::Filters,
            Part::Sizes,
            Part::Counts,
            Part::Sparse,
            Part::Hybrid,
        ],
    ),
    ("peers_arg", &[Part::Peers, Part::Sizes]),
];

impl Args {
    /// Refuses what would be of no effect; `given` says whether an option, by its name here, is on the command line.
    ///
    /// # Errors
    /// Which option it is, and what to add.
    pub(crate) fn check(&self, given: impl Fn(&str) -> bool) -> Result<()> {
        let refuse = |message: String| Err(Error::Program(message));
        if given("parts") {
            for part in &self.parts {
                if let Some(missing) = self.missing(*part) {
                    return refuse(format!("--parts {}: add {missing}", part.name()));
                }
            }
        }
        for (option, parts) in SHAPES {
            // Scripts measure sizes only where they are told of which systems.
            let unasked =
                |part: Part| option == "peers_arg" && part == Part::Sizes && self.sizes_peers.is_empty();
            let parts: Vec<Part> = parts.iter().copied().filter(|part| !unasked(*part)).collect();
            if given(option) && !parts.iter().any(|part| self.parts.contains(part)) {
                let parts: Vec<String> = parts.iter().map(|part| part.name()).collect();
                return refuse(format!(
                    "--{} shapes {}, which --parts leaves out: add it there or leave the option out",
                    option.replace('_', "-"),
                    parts.join(" and ")
                ));
            }
        }
        Ok(())
    }

    /// The option without which a part has nothing to measure.
    fn missing(&self, part: Part) -> Option<&'static str> {
        match part {
            Part::Plain | Part::Filters | Part::Ingest => None,
            Part::Counts | Part::Sparse | Part::Hybrid => {
                self.data.payload.is_none().then_some("--payload FILE")
            }
            Part::Sizes => self.sizes.is_empty().then_some("--sizes LIST"),
            Part::Builds | Part::Clients | Part::Cold => self.vdb.is_none().then_some("--vdb PROGRAM"),
            Part::Peers => self.peers.is_empty().then_some("--peers SCRIPT"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
