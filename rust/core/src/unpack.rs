//! Compressed input: zstd and gzip are recognized by their first bytes and decompressed while they are read.
//!
//! Nothing else is ever guessed: what begins with neither magic number is passed on as it is.

use std::io::{BufReader, Chain, Cursor, Read, Result};

const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The bytes begin like a compressed file.
pub fn is_packed(head: &[u8]) -> bool {
    is_zstd(head) || head.starts_with(GZIP)
}

/// A zstd frame, or one that is to be skipped before it (RFC 8878, 3.1.2).
fn is_zstd(head: &[u8]) -> bool {
    head.starts_with(ZSTD) || matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// What was read ahead to find the magic number, and the rest.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Reads `R`, decompressed if it is compressed. Keeps its place over `WouldBlock` and `Interrupted`.
pub struct Unpacked<R: Read>(State<R>);

enum State<R: Read> {
    Head(Option<R>, Vec<u8>),
    Plain(Whole<R>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<Whole<R>>>),
    Gzip(Box<flate2::bufread::MultiGzDecoder<BufReader<Whole<R>>>>),
}

impl<R: Read> Unpacked<R> {
    pub fn new(inner: R) -> Unpacked<R> {
        Unpacked(State::Head(Some(inner), Vec::new()))
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        loop {
            match &mut self.0 {
                State::Plain(r) => return r.read(out),
                State::Zstd(r) => return r.read(out),
                State::Gzip(r) => return r.read(out),
                State::Head(inner, head) => {
                    let Some(reader) = inner.as_mut() else { return Ok(0) };
                    let mut more = [0; 4];
                    let n = reader.read(&mut more[..ZSTD.len() - head.len()])?;
                    head.extend_from_slice(&more[..n]);
                    if n == 0 || head.len() == ZSTD.len() {
                        let whole = inner.take().map(|r| Cursor::new(std::mem::take(head)).chain(r));
                        self.0 = whole.map_or(Ok(State::Head(None, Vec::new())), begin)?;
                    }
                }
            }
        }
    }
}

fn begin<R: Read>(whole: Whole<R>) -> Result<State<R>> {
    let head = whole.get_ref().0.get_ref();
    Ok(if is_zstd(head) {
        State::Zstd(zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(128 << 10, whole))?)
    } else if head.starts_with(GZIP) {
        let buffered = BufReader::with_capacity(128 << 10, whole);
        State::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(buffered)))
    } else {
        State::Plain(whole)
    })
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};

    use super::*;

    /// Blocks before every byte.
    struct Drip(Cursor<Vec<u8>>, bool);

    impl Read for Drip {
        fn read(&mut self, out: &mut [u8]) -> Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::WouldBlock.into());
            }
            let n = out.len().min(1);
            self.0.read(&mut out[..n])
        }
    }

    fn unpack(packed: Vec<u8>) -> Result<Vec<u8>> {
        let mut reader = Unpacked::new(Drip(Cursor::new(packed), false));
        let (mut all, mut part) = (Vec::new(), [0; 100]);
        loop {
            match reader.read(&mut part) {
                Ok(0) => return Ok(all),
                Ok(n) => all.extend_from_slice(&part[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn plain_zstd_and_gzip_give_the_same_bytes_even_from_a_source_that_blocks() {
        for text in [&b""[..], b"a", b"abc", b"abcd", &b"{\"a\":1}\n".repeat(1000)] {
            let zstd = zstd::encode_all(text, 1).unwrap();
            assert_eq!(unpack(text.to_vec()).unwrap(), text);
            assert_eq!(unpack(zstd.clone()).unwrap(), text);
            assert_eq!(unpack(gzip(text)).unwrap(), text);
            // Members and frames may follow each other.
            assert_eq!(unpack([zstd.clone(), zstd].concat()).unwrap(), text.repeat(2));
            assert_eq!(unpack([gzip(text), gzip(text)].concat()).unwrap(), text.repeat(2));
        }
    }

    #[test]
    fn a_cut_archive_is_an_error_and_not_the_end() {
        let text = b"{\"a\":1}\n".repeat(1000);
        for packed in [zstd::encode_all(&text[..], 1).unwrap(), gzip(&text)] {
            assert!(unpack(packed[..packed.len() - 5].to_vec()).is_err());
        }
    }
}
