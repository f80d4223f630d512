//! Input in UTF-16 becomes UTF-8 before it is split into lines.

use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex};

use crate::digest::Blake3;

/// The input as it was: digest and length, shared between the reader and the driver.
#[derive(Clone, Default)]
pub struct Taken(Arc<Mutex<(Blake3, u64)>>);

impl Taken {
    pub fn update(&self, bytes: &[u8]) {
        // The lock is only poisoned after a panic, which ends the parse anyway.
        if let Ok(mut taken) = self.0.lock() {
            taken.0.update(bytes);
            taken.1 += bytes.len() as u64;
        }
    }

    pub fn finish(&self) -> (String, u64) {
        self.0.lock().map(|taken| (taken.0.finish().to_string(), taken.1)).unwrap_or_default()
    }
}

/// What stands at the beginning of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16 { big: bool },
}

/// Tell the encoding from the first bytes: a byte order mark, or ASCII with a zero beside each byte.
pub fn encoding(head: &[u8]) -> Encoding {
    match head {
        [0xff, 0xfe, ..] => Encoding::Utf16 { big: false },
        [0xfe, 0xff, ..] => Encoding::Utf16 { big: true },
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Encoding::Utf16 { big: false },
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => Encoding::Utf16 { big: true },
        _ => Encoding::Utf8,
    }
}

/// Read the first bytes of `inner`; they stand before the rest again.
pub fn sniff<R: Read>(mut inner: R) -> io::Result<(Encoding, impl Read)> {
    let mut head = [0; 4];
    let mut n = 0;
    while n < head.len() {
        match inner.read(&mut head[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
            Err(e) => return Err(e),
        }
    }
    let start = Cursor::new(head[..n].to_vec());
    Ok((encoding(&head[..n]), start.chain(inner)))
}

/// UTF-16 in, UTF-8 out. A half of a pair becomes U+FFFD; so does an odd last byte.
pub struct Utf16Reader<R> {
    inner: R,
    big: bool,
    taken: Option<Taken>,
    raw: Vec<u8>,
    /// A byte or a high surrogate that waits for what comes next.
    odd: Option<u8>,
    high: Option<u16>,
    begun: bool,
    out: Vec<u8>,
    sent: usize,
}

impl<R: Read> Utf16Reader<R> {
    pub fn new(inner: R, big: bool, taken: Option<Taken>) -> Utf16Reader<R> {
        let raw = vec![0; 64 << 10];
        Utf16Reader { inner, big, taken, raw, odd: None, high: None, begun: false, out: Vec::new(), sent: 0 }
    }

    fn unit(&mut self, unit: u16) {
        if !std::mem::replace(&mut self.begun, true) && unit == 0xfeff {
            return;
        }
        let high = self.high.take();
        match (high, unit) {
            (Some(high), 0xdc00..=0xdfff) => {
                let c = 0x10000 + ((high as u32 - 0xd800) << 10) + (unit as u32 - 0xdc00);
                self.put(char::from_u32(c));
                return;
            }
            (Some(_), _) => self.put(None),
            (None, _) => {}
        }
        match unit {
            0xd800..=0xdbff => self.high = Some(unit),
            _ => self.put(char::from_u32(unit as u32)),
        }
    }

    fn put(&mut self, c: Option<char>) {
        self.out.extend_from_slice(c.unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn refill(&mut self) -> io::Result<bool> {
        self.out.clear();
        self.sent = 0;
        let n = self.inner.read(&mut self.raw)?;
        if n == 0 {
            if self.high.take().is_some() | self.odd.take().is_some() {
                self.put(None);
            }
            return Ok(!self.out.is_empty());
        }
        if let Some(taken) = &self.taken {
            taken.update(&self.raw[..n]);
        }
        for at in 0..n {
            let byte = self.raw[at];
            match self.odd.take() {
                None => self.odd = Some(byte),
                Some(first) => self.unit(if self.big {
                    u16::from_be_bytes([first, byte])
                } else {
                    u16::from_le_bytes([first, byte])
                }),
            }
        }
        Ok(true)
    }
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.sent == self.out.len() {
            if !self.refill()? {
                return Ok(0);
            }
        }
        let n = to.len().min(self.out.len() - self.sent);
        to[..n].copy_from_slice(&self.out[self.sent..self.sent + n]);
        self.sent += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_byte_orders_with_and_without_mark_give_utf8() {
        let text = "{\"a\":\"é😀\"}\n";
        for big in [false, true] {
            for mark in ["", "\u{feff}"] {
                let bytes: Vec<u8> = format!("{mark}{text}")
                    .encode_utf16()
                    .flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() })
                    .collect();
                assert_eq!(encoding(&bytes), Encoding::Utf16 { big });
                let mut out = String::new();
                Utf16Reader::new(&bytes[..], big, None).read_to_string(&mut out).unwrap();
                assert_eq!(out, text);
            }
        }
        assert_eq!(encoding(b"{\"a\""), Encoding::Utf8);
    }
}
