//! Strings that match a pattern, drawn with a seed.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A small generator of numbers: the same seed gives the same strings everywhere and always.
pub struct Dice(u64);

impl Dice {
    pub fn new(name: &str, seed: u64) -> Dice {
        let mixed = name.bytes().fold(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xcbf2_9ce4_8422_2325, |h, c| {
            (h ^ u64::from(c)).wrapping_mul(0x0100_0000_01b3)
        });
        Dice(mixed | 1)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n.max(1) as u64) as usize
    }

    /// `n` letters of `alphabet`.
    pub fn word(&mut self, alphabet: &str, n: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..n).map(|_| letters[self.below(letters.len())]).collect()
    }
}

/// A match of `pattern`, repetitions as short as they may be.
pub fn matching(pattern: &str, dice: &mut Dice) -> String {
    let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).expect("a pattern");
    let mut out = String::new();
    draw(&hir, dice, &mut out);
    out
}

fn draw(hir: &Hir, dice: &mut Dice, out: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(text) => out.push_str(&String::from_utf8_lossy(&text.0)),
        HirKind::Class(class) => {
            let mut letters = Vec::new();
            match class {
                Class::Bytes(bytes) => bytes.iter().for_each(|r| letters.extend(r.start()..=r.end())),
                Class::Unicode(chars) => {
                    chars.iter().for_each(|r| letters.extend(r.start() as u8..=(r.end() as u32).min(126) as u8))
                }
            }
            // Letters and digits make the likeliest secrets; a class of anything is drawn from those.
            let plain: Vec<u8> = letters.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
            let from = if plain.is_empty() { &letters } else { &plain };
            out.push(from[dice.below(from.len())] as char);
        }
        HirKind::Repetition(many) => (0..many.min).for_each(|_| draw(&many.sub, dice, out)),
        HirKind::Capture(group) => draw(&group.sub, dice, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| draw(part, dice, out)),
        HirKind::Alternation(ways) => {
            let way = dice.below(ways.len());
            draw(&ways[way], dice, out);
        }
    }
}
