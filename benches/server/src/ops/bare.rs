//! Searches behind a bare socket: what the system takes to carry a question to another thread and its answer back.
//!
//! ```text
//! question: count of numbers (u32), numbers (f32)    answer: count of ids (u32), ids (u64)    all little-endian
//! ```
//!
//! No protocol could do with less: no head, no names, one write each way. Whatever a server takes beyond that is its own.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use vdb_benches::{Error, Question, Result};

use crate::server::Connection;

/// Numbers of a question, at most.
const MOST: usize = 1 << 20;

fn failed(error: impl std::fmt::Display) -> Error {
    Error::peer("socket", error)
}

/// The end that answers.
pub(super) struct Bare(TcpListener);

impl Bare {
    pub(super) fn listen() -> Result<Bare> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .map(Bare)
            .map_err(failed)
    }

    pub(super) fn address(&self) -> Result<SocketAddr> {
        self.0.local_addr().map_err(failed)
    }

    /// Answers the questions of one connection until its other end goes away; one without numbers with nothing.
    pub(super) fn answer(&self, mut ids: impl FnMut(&[f32]) -> Result<Vec<u64>>) -> Result<()> {
        let (mut stream, _) = self.0.accept().map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let (mut bytes, mut answer) = (Vec::new(), Vec::new());
        while let Some(count) = count(&mut stream).map_err(failed)? {
            if count > MOST {
                return Err(failed(format!("a question of {count} numbers")));
            }
            bytes.resize(count * size_of::<f32>(), 0);
            stream.read_exact(&mut bytes).map_err(failed)?;
            let numbers: Vec<f32> = bytes
                .as_chunks()
                .0
                .iter()
                .map(|four| f32::from_le_bytes(*four))
                .collect();
            let found = if numbers.is_empty() {
                Vec::new()
            } else {
                ids(&numbers)?
            };
            answer.clear();
            answer.extend_from_slice(&(found.len() as u32).to_le_bytes());
            answer.extend(found.iter().flat_map(|id| id.to_le_bytes()));
            stream.write_all(&answer).map_err(failed)?;
        }
        Ok(())
    }
}

/// How many follow; `None` at the end.
fn count(stream: &mut TcpStream) -> io::Result<Option<usize>> {
    let mut four = [0; 4];
    match stream.read_exact(&mut four) {
        Ok(()) => Ok(Some(u32::from_le_bytes(four) as usize)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// The end that asks.
pub(super) struct Asking {
    stream: TcpStream,
    questions: Vec<Vec<u8>>,
}

impl Asking {
    pub(super) fn connect(address: SocketAddr) -> Result<Asking> {
        let stream = TcpStream::connect(address).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        Ok(Asking {
            stream,
            questions: Vec::new(),
        })
    }

    fn answered(stream: &mut TcpStream, question: &[u8]) -> Result<Vec<u64>> {
        stream.write_all(question).map_err(failed)?;
        let count = count(stream).map_err(failed)?;
        let count = count.filter(|count| *count <= MOST);
        let count = count.ok_or_else(|| failed("the other end went away"))?;
        let mut bytes = vec![0; count * size_of::<u64>()];
        stream.read_exact(&mut bytes).map_err(failed)?;
        Ok(bytes
            .as_chunks()
            .0
            .iter()
            .map(|eight| u64::from_le_bytes(*eight))
            .collect())
    }
}

impl Connection for Asking {
    fn prepare(&mut self, question: &Question<'_>, _: bool) -> Result<()> {
        let mut bytes = (question.vector.len() as u32).to_le_bytes().to_vec();
        bytes.extend(question.vector.iter().flat_map(|number| number.to_le_bytes()));
        self.questions.push(bytes);
        Ok(())
    }

    fn clear(&mut self) {
        self.questions.clear();
    }

    fn ask(&mut self, question: usize) -> Result<Vec<u64>> {
        let none = || Error::Program("a question that was not prepared".to_owned());
        let question = self.questions.get(question).ok_or_else(none)?;
        Asking::answered(&mut self.stream, question)
    }

    fn health(&mut self) -> Result<()> {
        Asking::answered(&mut self.stream, &[0; 4]).map(drop)
    }
}
