//! The laws of docs/hail.md, on random sessions.

use proptest::prelude::*;

use super::sessions::{session, Json, Style};
use super::*;

fn spell(lines: &[Json], seed: u64) -> String {
    let mut style = Style(seed);
    lines.iter().map(|line| style.line(line)).collect()
}

fn ways() -> impl Iterator<Item = How> {
    let sizes = [1, 7, 64, 300, 1 << 20];
    sizes.into_iter().flat_map(|block| (1..=4).map(move |jobs| How { jobs, block, full: false }))
}

/// Everything that is said about a text, for comparing.
fn said(v: &Verified) -> String {
    let infos: Vec<String> = v.sessions.iter().map(|s| format!("{s:?}")).collect();
    let error = v.error.as_ref().map(place);
    format!("{} {} {:?} {error:?} {infos:#?}", v.sha256, v.bytes, v.first_difference)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_canonical_form_is_a_fixed_point_and_verifies(lines in session(), seed: u64) {
        let (bytes, infos) = canonical_of(spell(&lines, seed).as_bytes(), USUAL).unwrap();
        let (again, infos_again) = canonical_of(&bytes, USUAL).unwrap();
        prop_assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&bytes));
        prop_assert_eq!(infos_again[0].first_difference, None);
        prop_assert_eq!(infos_again[0].sha256, infos[0].sha256);
        prop_assert_eq!(infos[0].bytes, bytes.len() as u64);
        let v = verified(&bytes, USUAL);
        prop_assert!(v.canonical() && v.sha256 == infos[0].sha256);
    }

    #[test]
    fn order_of_keys_white_space_and_spelling_change_nothing(lines in session(), one: u64, other: u64) {
        let (a, _) = canonical_of(spell(&lines, one).as_bytes(), USUAL).unwrap();
        let (b, _) = canonical_of(spell(&lines, other).as_bytes(), USUAL).unwrap();
        prop_assert_eq!(String::from_utf8_lossy(&a), String::from_utf8_lossy(&b));
    }

    #[test]
    fn the_quick_readers_say_what_the_full_reader_says(lines in session(), seed: u64) {
        let text = spell(&lines, seed);
        let (quick, a) = canonical_of(text.as_bytes(), USUAL).unwrap();
        let (full, b) = canonical_of(text.as_bytes(), How { full: true, ..USUAL }).unwrap();
        prop_assert_eq!(String::from_utf8_lossy(&quick), String::from_utf8_lossy(&full));
        prop_assert_eq!(format!("{a:?}"), format!("{b:?}"));
        let canonical = How { full: true, ..USUAL };
        prop_assert_eq!(said(&verified(&quick, USUAL)), said(&verified(&quick, canonical)));
    }

    #[test]
    fn a_damaged_byte_is_seen_alike_by_all_readers_threads_and_blocks(
        lines in session(), seed: u64, at: prop::sample::Index, byte in prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'0')],
    ) {
        let mut text = spell(&lines, seed).into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        let want = said(&verified(&text, How { full: true, ..USUAL }));
        for how in ways() {
            prop_assert_eq!(&said(&verified(&text, how)), &want, "{:?}", how);
        }
        let error = verified(&text, USUAL).error.as_ref().map(place);
        let refused = canonical_of(&text, USUAL).err().as_ref().map(place);
        prop_assert_eq!(refused, error);
    }

    #[test]
    fn threads_and_blocks_change_nothing(lines in session(), seed: u64) {
        let text = spell(&lines, seed);
        let (bytes, infos) = canonical_of(text.as_bytes(), USUAL).unwrap();
        for how in ways() {
            let (again, same) = canonical_of(text.as_bytes(), how).unwrap();
            prop_assert_eq!(&again, &bytes, "{:?}", how);
            prop_assert_eq!(format!("{same:?}"), format!("{infos:?}"), "{:?}", how);
        }
    }

    #[test]
    fn the_first_difference_is_that_of_the_bytes(lines in session(), seed: u64) {
        let text = spell(&lines, seed);
        let (bytes, infos) = canonical_of(text.as_bytes(), USUAL).unwrap();
        let common = text.bytes().zip(bytes.iter().copied()).take_while(|(a, b)| a == b).count();
        let same = text.as_bytes() == bytes;
        prop_assert_eq!(infos[0].first_difference, (!same).then_some(common as u64));
        prop_assert_eq!(infos[0].input_bytes, text.len() as u64);
    }

    #[test]
    fn several_sessions_in_a_stream_are_what_they_are_alone(
        sessions in prop::collection::vec(session(), 1..4), seed: u64,
    ) {
        let whole: Vec<Vec<u8>> = sessions.iter().map(|s| canonical_of(spell(s, seed).as_bytes(), USUAL).unwrap().0).collect();
        let stream = whole.concat();
        for how in ways() {
            let v = verified(&stream, how);
            prop_assert!(v.canonical());
            for (info, bytes) in v.sessions.iter().zip(&whole) {
                prop_assert_eq!(info.sha256, canonical_of(bytes, USUAL).unwrap().1[0].sha256);
                prop_assert_eq!(info.input_bytes, bytes.len() as u64);
            }
        }
    }
}
