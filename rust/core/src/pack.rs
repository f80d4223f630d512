//! The frame of a bundle: zstd with a checksum, written and read in bounded memory.
//!
//! Reading asks for no more memory than writing did, whatever the frame says of itself.

use std::io::{self, BufReader, Read, Write};

use crate::{Error, Result};

/// More would halve the speed for a few percent.
const LEVEL: i32 = 3;
/// Threads that compress. The frame is the same for any number but none.
const WORKERS: u32 = 2;
/// The largest window that is read, as a power of two: 8 MiB. The one that is written is smaller.
const WINDOW: u32 = 23;
const READ_AHEAD: usize = 128 << 10;

/// Compresses what is written to it.
pub struct Packer<W: Write>(zstd::stream::write::Encoder<'static, W>);

impl<W: Write> Packer<W> {
    pub fn new(to: W) -> Result<Packer<W>> {
        let mut encoder = zstd::stream::write::Encoder::new(to, LEVEL).map_err(Error::write)?;
        encoder.include_checksum(true).map_err(Error::write)?;
        encoder.multithread(WORKERS).map_err(Error::write)?;
        Ok(Packer(encoder))
    }

    /// End the frame; without it the output is a cut file.
    pub fn finish(self) -> Result<()> {
        self.0.finish().and_then(|mut to| to.flush()).map_err(Error::write)
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The bytes inside of a frame.
pub fn unpacked<R: Read>(from: R) -> Result<impl Read> {
    let buffered = BufReader::with_capacity(READ_AHEAD, from);
    let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered).map_err(Error::read)?;
    decoder.window_log_max(WINDOW).map_err(Error::read)?;
    Ok(decoder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut packer = Packer::new(&mut out).unwrap();
        packer.write_all(text).unwrap();
        packer.finish().unwrap();
        out
    }

    fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        unpacked(packed).unwrap().read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn what_was_packed_comes_out_and_the_same_bytes_give_the_same_frame() {
        for text in [&b""[..], b"a", &b"{\"a\":1}\n".repeat(200_000)] {
            assert_eq!(unpack(&pack(text)).unwrap(), text);
            assert_eq!(pack(text), pack(text));
        }
    }

    #[test]
    fn a_frame_that_is_cut_or_changed_is_an_error() {
        let packed = pack(&b"{\"a\":1,\"b\":[1,2,3]}\n".repeat(50));
        for cut in 1..packed.len() {
            assert!(unpack(&packed[..cut]).is_err(), "cut at {cut}");
        }
        let text = b"{\"a\":1,\"b\":[1,2,3]}\n".repeat(50);
        for bit in 0..packed.len() * 8 {
            let mut changed = packed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            // Some bits of the header say nothing about the content; none may change it unnoticed.
            assert!(unpack(&changed).map_or(true, |out| out == text), "bit {bit}");
        }
    }

    #[test]
    fn a_frame_that_asks_for_a_large_window_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&vec![7; 200 << 20]).unwrap();
        assert!(unpack(&encoder.finish().unwrap()).is_err());
    }
}
