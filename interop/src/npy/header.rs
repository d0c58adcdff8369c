//! The header of an `.npy` file (NumPy enhancement proposal 1): magic, version, and a Python dictionary as text.

use crate::error::{Problem, quoted, quoted_bytes};
use crate::input::Input;
use crate::npy::literal::{self, Literal};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// NumPy writes headers of a few hundred bytes and itself refuses to read more than 10,000 unasked.
const MAX_HEADER: usize = 64 * 1024;

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Type code, such as `<f4`.
    pub(crate) descr: String,
    /// Column-major order.
    pub(crate) fortran_order: bool,
    /// Length of each dimension.
    pub(crate) shape: Vec<u64>,
    /// Bytes before the first number.
    pub(crate) data_start: u64,
}

impl Header {
    /// Reads the header and leaves `input` at the first number.
    pub(crate) fn read(input: &mut Input) -> Result<Header, Problem> {
        let mut prelude = [0; 8];
        exact(input, &mut prelude)?;
        let [.., major, _minor] = prelude;
        if !prelude.starts_with(MAGIC) {
            return Err(not_npy(format!(
                "a file that starts with {}",
                quoted_bytes(&prelude)
            )));
        }
        let len = match major {
            1 => {
                let mut len = [0; 2];
                exact(input, &mut len)?;
                usize::from(u16::from_le_bytes(len))
            }
            2 | 3 => {
                let mut len = [0; 4];
                exact(input, &mut len)?;
                usize::try_from(u32::from_le_bytes(len)).unwrap_or(usize::MAX)
            }
            _ => return Err(not_npy(format!("version {major}"))),
        };
        if len > MAX_HEADER {
            return Err(not_npy(format!("a header of {len} bytes")));
        }
        let mut text = vec![0; len];
        exact(input, &mut text)?;
        let entries = std::str::from_utf8(&text)
            .ok()
            .and_then(literal::dictionary)
            .ok_or_else(|| not_npy(format!("the header {}", quoted_bytes(&text))))?;
        Header::from_entries(entries, input.position())
    }

    fn from_entries(entries: Vec<(String, Literal)>, data_start: u64) -> Result<Header, Problem> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        for (key, value) in entries {
            match (key.as_str(), value) {
                ("descr", Literal::Text(text)) => descr = Some(text),
                ("descr", Literal::Other) => {
                    return Err(Problem::Format {
                        expected: "an array of numbers",
                        found: "an array of records".to_owned(),
                        advice: "save the field that holds the vectors on its own",
                    });
                }
                ("fortran_order", Literal::Bool(flag)) => fortran_order = Some(flag),
                ("shape", Literal::Tuple(lengths)) => shape = Some(lengths),
                (_, Literal::Text(_) | Literal::Bool(_) | Literal::Tuple(_) | Literal::Other) => {
                    return Err(not_npy(format!("the header entry {}", quoted(&key))));
                }
            }
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) => Ok(Header {
                descr,
                fortran_order,
                shape,
                data_start,
            }),
            _ => Err(not_npy(
                "a header without 'descr', 'fortran_order' or 'shape'".to_owned(),
            )),
        }
    }
}

fn not_npy(found: String) -> Problem {
    Problem::Format {
        expected: "an .npy file of version 1 to 3",
        found,
        advice: "write it with numpy.save",
    }
}

fn exact(input: &mut Input, buffer: &mut [u8]) -> Result<(), Problem> {
    let before = input.position();
    let found = input.fill(buffer).map_err(Problem::Io)?;
    if found == buffer.len() {
        return Ok(());
    }
    Err(Problem::Truncated {
        expected: before + buffer.len() as u64,
        found: before + found as u64,
    })
}
