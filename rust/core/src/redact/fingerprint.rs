//! A name for a secret that says nothing about it: HMAC-SHA256 with a key that only this store has.

use crate::digest::{Digest, Sha256};

const BLOCK: usize = 64;

/// HMAC-SHA256 (RFC 2104) of the rule and the value.
pub fn fingerprint(key: &[u8], rule: &str, value: &[u8]) -> Digest {
    // The zero byte ends the rule: no other pair of rule and value makes the same message.
    hmac(key, &[rule.as_bytes(), b"\0", value])
}

fn hmac(key: &[u8], message: &[&[u8]]) -> Digest {
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        let mut hash = Sha256::new();
        hash.update(key);
        block[..32].copy_from_slice(&hash.finish().0);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new();
    inner.update(&block.map(|c| c ^ 0x36));
    message.iter().for_each(|part| inner.update(part));
    let mut outer = Sha256::new();
    outer.update(&block.map(|c| c ^ 0x5c));
    outer.update(&inner.finish().0);
    outer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_matches_the_vectors_of_rfc_4231() {
        let one = hmac(&[0x0b; 20], &[b"Hi There"]).to_string();
        assert_eq!(one, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        let six = hmac(&[0xaa; 131], &[b"Test Using Larger Than Block-Size Key", b" - Hash Key First"]).to_string();
        assert_eq!(six, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn rule_and_value_cannot_be_shifted_into_each_other() {
        assert_ne!(fingerprint(b"k", "ab", b"c"), fingerprint(b"k", "a", b"bc"));
    }
}
