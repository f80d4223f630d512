//! Sources: what Python names as input, opened.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;

use opensession_core::unpack::{is_packed, Unpacked};
use opensession_core::{Code, Error, Result};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyInt};

use crate::fd;

/// A path, an open descriptor or bytes.
pub enum Source {
    Path(PathBuf),
    Fd(i32),
    Bytes(Arc<PyBackedBytes>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Source {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Source> {
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return Ok(Source::Bytes(Arc::new(PyBackedBytes::from(bytes.to_owned()))));
        }
        if value.is_instance_of::<PyInt>() {
            return Ok(Source::Fd(value.extract()?));
        }
        match value.extract() {
            Ok(path) => Ok(Source::Path(path)),
            Err(_) => Err(PyTypeError::new_err("a source is a path, a file descriptor or bytes")),
        }
    }
}

/// A source that is open. The borrow of Python's bytes needs no GIL: they never change.
pub struct Opened {
    kind: Kind,
}

enum Kind {
    Bytes(Arc<PyBackedBytes>),
    File {
        file: File,
        path: Option<PathBuf>,
        /// Offset of the first byte, and the bytes from there on when it was opened; `None` if it is no regular file.
        range: Option<(u64, u64)>,
    },
}

type Reader = Box<dyn Read + Send>;

impl Opened {
    pub fn open(source: Source) -> Result<Opened> {
        let (file, path) = match source {
            Source::Bytes(bytes) => return Ok(Opened { kind: Kind::Bytes(bytes) }),
            Source::Path(path) => (File::open(&path).map_err(Error::read)?, Some(path)),
            Source::Fd(number) => (fd::duplicate(number).map_err(Error::read)?, None),
        };
        let meta = file.metadata().map_err(Error::read)?;
        let mut range = None;
        if meta.is_file() {
            let start = (&file).stream_position().map_err(Error::read)?;
            range = Some((start, meta.len().saturating_sub(start)));
        }
        Ok(Opened { kind: Kind::File { file, path, range } })
    }

    /// Bytes of input as they are; 0 where that is unknown.
    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::Bytes(bytes) => bytes.len() as u64,
            Kind::File { range, .. } => range.map_or(0, |(_, len)| len),
        }
    }

    /// Bytes of input that will be read, for showing progress; 0 where that is unknown, as it is of packed input.
    pub fn total(&self) -> u64 {
        let mut head = [0; 4];
        let packed = match &self.kind {
            Kind::Bytes(bytes) => is_packed(bytes),
            Kind::File { file, range: Some((start, _)), .. } => {
                file.read_at(&mut head, *start).map_or(true, |n| is_packed(&head[..n]))
            }
            Kind::File { .. } => true,
        };
        if packed {
            0
        } else {
            self.size()
        }
    }

    /// All bytes as they are, from the current offset to the end. Once.
    pub fn raw(&self) -> Result<Reader> {
        Ok(match &self.kind {
            Kind::Bytes(bytes) => Box::new(Cursor::new(Shared(bytes.clone()))),
            Kind::File { file, .. } => Box::new(Plain::new(file, None)?),
        })
    }

    /// As they are, but exactly the next `length` bytes where a length is given: fewer are an error.
    pub fn part(&self, length: Option<u64>) -> Result<Reader> {
        let Some(length) = length else { return self.raw() };
        Ok(match &self.kind {
            Kind::Bytes(bytes) if (bytes.len() as u64) < length => return Err(changed()),
            Kind::Bytes(bytes) => Box::new(Cursor::new(Shared(bytes.clone())).take(length)),
            Kind::File { file, .. } => Box::new(Plain::new(file, Some(length))?),
        })
    }

    /// All of them, decompressed.
    pub fn stream(&self) -> Result<Reader> {
        Ok(Box::new(Unpacked::new(self.raw()?)))
    }

    /// The decompressed bytes that were there when the source was opened, from the first one on, as often as wanted.
    pub fn again(&self) -> Result<Reader> {
        Ok(match &self.kind {
            Kind::Bytes(bytes) => Box::new(Unpacked::new(Cursor::new(Shared(bytes.clone())))),
            Kind::File { range: None, .. } => {
                return Err(Error::new(Code::Unreadable, "this input can be read only once; copy it to a file first"));
            }
            Kind::File { file, range: Some((start, len)), .. } => {
                let mut file = file;
                file.seek(SeekFrom::Start(*start)).map_err(Error::read)?;
                Box::new(Unpacked::new(Plain::new(file, Some(*len))?))
            }
        })
    }

    /// Put a descriptor back to where it was.
    pub fn rewind(&self) -> Result<()> {
        if let Kind::File { file, range: Some((start, _)), .. } = &self.kind {
            let mut file = file;
            file.seek(SeekFrom::Start(*start)).map_err(Error::read)?;
        }
        Ok(())
    }

    /// An error if the path names another file by now, or the file lost bytes.
    pub fn check_unchanged(&self) -> Result<()> {
        let Kind::File { file, path, range: Some((start, len)) } = &self.kind else { return Ok(()) };
        let ours = file.metadata().map_err(Error::read)?;
        let named = path.as_ref().and_then(|path| std::fs::metadata(path).ok());
        let replaced = named.is_some_and(|m| (m.dev(), m.ino()) != (ours.dev(), ours.ino()));
        if replaced || ours.len() < start + len {
            return Err(changed());
        }
        Ok(())
    }
}

fn changed() -> Error {
    Error::new(Code::InputChanged, "the input got shorter or was replaced while it was read")
}

/// Bytes of Python behind a pointer that readers can share.
struct Shared(Arc<PyBackedBytes>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A file that never blocks for long: it returns `WouldBlock` instead.
struct Plain {
    file: File,
    waits: bool,
    /// Bytes that must still come.
    left: Option<u64>,
}

impl Plain {
    fn new(file: &File, left: Option<u64>) -> Result<Plain> {
        let file = file.try_clone().map_err(Error::read)?;
        Ok(Plain { waits: fd::may_block(&file), file, left })
    }
}

impl Read for Plain {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.waits && !fd::readable(&self.file)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let Some(left) = self.left else { return self.file.read(out) };
        let most = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let n = self.file.read(&mut out[..most])?;
        if n == 0 && most > 0 {
            return Err(io::Error::other(changed()));
        }
        self.left = Some(left - n as u64);
        Ok(n)
    }
}
