//! Where is every `unsafe` of the project?
//!
//! Here, and nowhere else: every other crate of the workspace forbids it. This crate turns files
//! and heap memory into plain byte slices, and pairs of byte slices into scores:
//!
//! ```text
//! file --map--> &[u8] --.
//! heap --aligned------> +--> element::MatrixView --kernel--> f32 scores
//! writer --append-----> '
//! ```
//!
//! | file | answers |
//! |---|---|
//! | `map.rs` | how is a file seen as memory, and what must not happen to it meanwhile? |
//! | `aligned.rs` | where do bytes live that kernels read from the heap? |
//! | `append.rs` | how do readers see rows while a writer adds more? |
//! | `element.rs` | how is one number stored, and what is a matrix of them? |
//! | `memory.rs` | how much memory does this process have? |
//! | `sparse.rs` | what is a sparse vector, and how near are two? |
//! | `words.rs` | where do bytes live that hold numbers of four bytes? |
//! | `sync.rs` | what do threads wait for, and who runs them? |
//! | `writeback.rs` | how is a file written out before a sync asks for it? |
//! | `kernel/mod.rs` | how near are two rows? One [`kernel::Kernel`] a metric and element |
//! | `kernel/packed/`, `kernel/sad.rs` | the same for quantised codes |
//! | `kernel/sip.rs` | what is the hash of an id? |
//! | `kernel/gaps.rs` | which numbers are packed in few bits? |
//! | `kernel/{scalar,simsimd,avx2,avx512,neon}.rs` | one instruction set each; scalar is the oracle |
//!
//! May depend on: no crate of the workspace.
//!
//! # Safety charter
//!
//! 1. Every `unsafe` block says in a `SAFETY:` comment why its obligations hold at that place.
//! 2. Whatever a caller could get wrong is either checked here (lengths, alignment, bounds, CPU
//!    features) or the function is an `unsafe fn`. No public function of this crate is one.
//! 3. The loads of a kernel go through functions that take `&[u8; N]`, so that a wrong length is a
//!    type error and not an overread; kernels themselves contain no raw pointers.
//! 4. A function compiled for CPU features is reached only through a table that is handed out after
//!    those features were detected on the running CPU.
//! 5. One promise cannot be checked here and is the user's: while a file is mapped nobody truncates
//!    it or changes its bytes ([`map::Map`] says what happens otherwise).

#[cfg(target_endian = "big")]
compile_error!(
    "rows are used as they lie in files, which are little-endian; big-endian hosts are not supported"
);

pub mod aligned;
pub mod append;
pub mod element;
pub mod kernel;
pub mod map;
pub mod memory;
pub mod sparse;
pub mod sync;
pub mod words;
pub mod writeback;
