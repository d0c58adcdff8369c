//! Growable bytes on the heap that start on a cache line.

use std::alloc::{self, Layout};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// Alignment of every buffer and of every matrix, in bytes: one cache line, one AVX-512 register.
pub const ALIGN: usize = 64;

/// Buffers at least this large are aligned to huge pages and advised to use them: a scan or a graph
/// walk over them then costs few address-translation misses.
const HUGE_FROM: usize = 4 << 20;
const HUGE_PAGE: usize = 2 << 20;

/// A growable run of bytes whose start is aligned to [`ALIGN`].
pub struct AlignedBuf {
    /// Start of an allocation of `layout(capacity)`; dangling but aligned while `capacity` is 0.
    ptr: NonNull<u8>,
    /// Initialised bytes, never more than `capacity`.
    len: usize,
    capacity: usize,
}

// SAFETY: the buffer owns its bytes alone, like a `Vec<u8>`; nothing is shared between threads
// other than through `&` and `&mut`, for which plain bytes have no further rules.
unsafe impl Send for AlignedBuf {}
// SAFETY: as above; `&AlignedBuf` gives out `&[u8]` only.
unsafe impl Sync for AlignedBuf {}

impl AlignedBuf {
    /// An empty buffer; allocates nothing.
    pub const fn new() -> Self {
        // The address of a dangling pointer matters too: an empty matrix must count as aligned.
        let ptr = NonNull::without_provenance(match std::num::NonZero::new(ALIGN) {
            Some(address) => address,
            None => unreachable!(),
        });
        Self {
            ptr,
            len: 0,
            capacity: 0,
        }
    }

    /// An empty buffer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        let mut buf = Self::new();
        buf.reserve(capacity);
        buf
    }

    /// `len` zero bytes.
    pub fn zeroed(len: usize) -> Self {
        let mut buf = Self::with_capacity(len);
        // Not `alloc_zeroed`: it would touch the pages before they are advised to be huge.
        // SAFETY: there is room for `len` bytes, and `&mut` makes the access exclusive; for length 0
        // the pointer need only not be null.
        unsafe { buf.ptr.as_ptr().write_bytes(0, len) };
        buf.len = len;
        buf
    }

    /// A copy of `bytes`.
    pub fn from_slice(bytes: &[u8]) -> Self {
        let mut buf = Self::with_capacity(bytes.len());
        buf.extend_from_slice(bytes);
        buf
    }

    /// Bytes that fit before the next allocation.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Appends a copy of `bytes`; the buffer may move.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        // SAFETY: `reserve` made room for `bytes.len()` bytes behind `len`; `bytes` cannot overlap
        // the buffer, because `&mut self` is exclusive.
        unsafe {
            let end = self.ptr.as_ptr().add(self.len);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), end, bytes.len());
        }
        self.len += bytes.len();
    }

    /// Makes room for `additional` more bytes, at least doubling when it has to grow.
    ///
    /// # Panics
    /// If the size does not fit the address space, as `Vec` does.
    pub fn reserve(&mut self, additional: usize) {
        if additional <= self.capacity - self.len {
            return;
        }
        let needed = self.len.saturating_add(additional);
        let capacity = needed.max(self.capacity.saturating_mul(2)).max(ALIGN);
        let layout = layout(capacity);
        // Not `realloc`: the alignment may rise with the size.
        // SAFETY: the layout's size is `capacity`, which is at least `ALIGN`.
        let ptr = unsafe { alloc::alloc(layout) };
        let Some(ptr) = NonNull::new(ptr) else {
            alloc::handle_alloc_error(layout)
        };
        advise_huge(ptr, capacity);
        // SAFETY: both allocations hold at least `len` bytes, and the new one is disjoint from the
        // old.
        unsafe { std::ptr::copy_nonoverlapping(self.ptr.as_ptr(), ptr.as_ptr(), self.len) };
        self.release();
        self.ptr = ptr;
        self.capacity = capacity;
    }

    /// Shortens the buffer to `len` bytes; does nothing if it is shorter already.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Empties the buffer and keeps its memory.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Gives the allocation back, if there is one. The fields are stale afterwards.
    fn release(&mut self) {
        if self.capacity != 0 {
            // SAFETY: a capacity other than 0 means that `ptr` came from an allocation with exactly
            // this layout, and callers overwrite or drop `ptr` right after.
            unsafe { alloc::dealloc(self.ptr.as_ptr(), layout(self.capacity)) };
        }
    }
}

/// The layout of every allocation of `size` bytes: a function of the size alone, so that memory is
/// given back as it was taken.
fn layout(size: usize) -> Layout {
    let align = if size >= HUGE_FROM { HUGE_PAGE } else { ALIGN };
    let Ok(layout) = Layout::from_size_align(size, align) else {
        capacity_overflow()
    };
    layout
}

#[cold]
#[expect(
    clippy::panic,
    reason = "a size beyond the address space is a bug of the caller, as for Vec"
)]
fn capacity_overflow() -> ! {
    panic!("capacity overflow")
}

/// Asks for huge pages behind a large, not yet touched allocation.
#[cfg(all(target_os = "linux", not(miri)))]
fn advise_huge(ptr: NonNull<u8>, size: usize) {
    if size < HUGE_FROM {
        return;
    }
    // Whole pages only: what shares a page with the end of the buffer is not ours to advise.
    let whole = size & !(HUGE_PAGE - 1);
    // SAFETY: the range lies in an allocation of at least `whole` bytes that starts on a huge page,
    // and this advice changes neither contents nor access rights.
    let advised =
        unsafe { rustix::mm::madvise(ptr.as_ptr().cast(), whole, rustix::mm::Advice::LinuxHugepage) };
    // A hint: without huge pages all works, only slower.
    let _ = advised;
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn advise_huge(_ptr: NonNull<u8>, _size: usize) {}

impl Deref for AlignedBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the first `len` bytes are initialised; an empty buffer's pointer is aligned and
        // not null, which is enough for a slice of length 0.
        unsafe { std::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }
}

impl DerefMut for AlignedBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`, and `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.as_ptr(), self.len) }
    }
}

impl Drop for AlignedBuf {
    fn drop(&mut self) {
        self.release();
    }
}

impl Clone for AlignedBuf {
    fn clone(&self) -> Self {
        Self::from_slice(self)
    }
}

impl Default for AlignedBuf {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for AlignedBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlignedBuf")
            .field("len", &self.len)
            .field("capacity", &self.capacity)
            .finish()
    }
}

#[cfg(test)]
mod tests;
