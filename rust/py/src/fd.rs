//! File descriptors that belong to Python: borrowed for one call, never closed.
//!
//! Owns the only unsafe code of the binding.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// How long a read or write may wait before somebody is asked whether to go on.
pub const PATIENCE: Duration = Duration::from_millis(50);

/// A descriptor of our own for the same open file. It shares the offset.
pub fn duplicate(fd: i32) -> io::Result<File> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: the number is only passed to dup, which says so itself if it is no open descriptor; the borrow ends with
    // this expression, and the copy is ours.
    #[allow(unsafe_code)]
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    borrowed.try_clone_to_owned().map(File::from)
}

/// Reading or writing may block: it is no regular file.
pub fn may_block(file: &File) -> bool {
    file.metadata().map(|m| !m.is_file()).unwrap_or(true)
}

/// Wait until `file` can be read; false if that did not happen within [`PATIENCE`].
pub fn readable(file: &File) -> io::Result<bool> {
    poll(file, libc::POLLIN)
}

/// The same for writing.
pub fn writable(file: &File) -> io::Result<bool> {
    poll(file, libc::POLLOUT)
}

fn poll(file: &File, events: libc::c_short) -> io::Result<bool> {
    let mut entry = libc::pollfd { fd: file.as_raw_fd(), events, revents: 0 };
    // SAFETY: one valid entry, which lives until the call returns.
    #[allow(unsafe_code)]
    let n = unsafe { libc::poll(&mut entry, 1, PATIENCE.as_millis() as libc::c_int) };
    if n < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(n > 0)
    }
}

/// Have the kernel begin to write `length` bytes from `start` on to the disk, without waiting; only ever a hint.
#[cfg(target_os = "linux")]
pub fn begin_write_back(file: &File, start: u64, length: u64) {
    let (Ok(start), Ok(length)) = (start.try_into(), length.try_into()) else { return };
    // SAFETY: the descriptor is open as long as the borrow lasts, and no memory is passed.
    #[allow(unsafe_code)]
    unsafe {
        libc::sync_file_range(file.as_raw_fd(), start, length, libc::SYNC_FILE_RANGE_WRITE);
    }
}

/// Elsewhere nothing but waiting is offered.
#[cfg(not(target_os = "linux"))]
pub fn begin_write_back(_: &File, _: u64, _: u64) {}
