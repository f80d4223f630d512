//! Times: the text that is accepted, the instant it means, and the one text that is written.

/// A point in time: seconds since 1970 in UTC, and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    pub secs: i64,
    pub nanos: u32,
}

const DAY: i64 = 86_400;
/// The first second of the year 0 and the last of 9999: four digits cannot say more.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

impl Time {
    pub const EPOCH: Time = Time { secs: 0, nanos: 0 };

    /// Whole seconds from `earlier` to `self`.
    pub fn seconds_since(self, earlier: Time) -> u64 {
        let borrow = (self.nanos < earlier.nanos) as i64;
        (self.secs - earlier.secs - borrow).max(0) as u64
    }

    /// Append the canonical text: UTC with `Z`, and 0, 3, 6 or 9 digits, the fewest that lose nothing.
    pub fn write(self, out: &mut Vec<u8>) {
        let (days, rest) = (self.secs.div_euclid(DAY), self.secs.rem_euclid(DAY));
        let (year, month, day) = date(days);
        let mut put = |value: i64, width: u32, after: &[u8]| {
            for k in (0..width).rev() {
                out.push(b'0' + (value / 10i64.pow(k) % 10) as u8);
            }
            out.extend_from_slice(after);
        };
        put(year, 4, b"-");
        put(month, 2, b"-");
        put(day, 2, b"T");
        put(rest / 3600, 2, b":");
        put(rest / 60 % 60, 2, b":");
        put(rest % 60, 2, b"");
        let nanos = self.nanos as i64;
        let (value, width) = match nanos {
            0 => (0, 0),
            n if n % 1_000_000 == 0 => (n / 1_000_000, 3),
            n if n % 1_000 == 0 => (n / 1_000, 6),
            n => (n, 9),
        };
        if width > 0 {
            put(0, 0, b".");
            put(value, width, b"");
        }
        out.push(b'Z');
    }
}

/// Read `YYYY-MM-DD(T|t)hh:mm:ss[.digits](Z|z|+hh:mm|-hh:mm)`; the flag says that this is the canonical text of the time.
#[inline]
pub fn parse(text: &[u8]) -> Option<(Time, bool)> {
    let fixed: &[u8; 19] = text.get(..19)?.try_into().ok()?;
    let separators = [fixed[4], fixed[7], fixed[13], fixed[16]] == *b"--::";
    if !separators || !matches!(fixed[10], b'T' | b't') {
        return None;
    }
    // One branch for all digits: this runs for every event.
    let mut digits = true;
    let mut number = |at: usize| {
        let (tens, ones) = (fixed[at].wrapping_sub(b'0'), fixed[at + 1].wrapping_sub(b'0'));
        digits &= (tens <= 9) & (ones <= 9);
        tens as u32 * 10 + ones as u32
    };
    let year = number(0) * 100 + number(2);
    let (month, day) = (number(5), number(8));
    let (hour, minute, mut second) = (number(11), number(14), number(17));
    if !digits || !(1..=12).contains(&month) || day < 1 || day > month_days(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (mut nanos, digits, after) = fraction(&text[19..])?;
    let mut canonical = fixed[10] == b'T' && shortest(nanos, digits);
    if second == 60 {
        (second, nanos, canonical) = (59, 999_999_999, false);
    }
    let offset = match after {
        b"Z" => 0,
        b"z" => {
            canonical = false;
            0
        }
        &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            canonical = false;
            let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 3600 + minutes * 60) as i64 * if sign == b'+' { 1 } else { -1 }
        }
        _ => return None,
    };
    let secs = days(year, month, day) * DAY + (hour * 3600 + minute * 60 + second) as i64 - offset;
    (FIRST..=LAST).contains(&secs).then_some((Time { secs, nanos }, canonical))
}

#[inline(always)]
fn two(a: u8, b: u8) -> Option<u32> {
    if a.is_ascii_digit() && b.is_ascii_digit() {
        Some((a - b'0') as u32 * 10 + (b - b'0') as u32)
    } else {
        None
    }
}

/// Nanoseconds, number of digits, and what comes after them. Digits beyond nine are cut.
#[inline(always)]
fn fraction(text: &[u8]) -> Option<(u32, usize, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else { return Some((0, 0, text)) };
    let (mut nanos, mut digits) = (0, 0);
    while let Some(c @ b'0'..=b'9') = rest.get(digits) {
        if digits < 9 {
            nanos = nanos * 10 + (c - b'0') as u32;
        }
        digits += 1;
    }
    const SCALE: [u32; 10] = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let nanos = nanos * SCALE[digits.min(9)];
    (digits > 0).then_some((nanos, digits, &rest[digits..]))
}

/// `digits` is the fewest of 0, 3, 6 and 9 that loses nothing.
#[inline(always)]
fn shortest(nanos: u32, digits: usize) -> bool {
    match digits {
        0 => true,
        3 => nanos != 0,
        6 => nanos % 1_000_000 != 0,
        9 => nanos % 1_000 != 0,
        _ => false,
    }
}

#[inline(always)]
fn month_days(year: u32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar. The year is made to begin in March, so that the
/// leap day is its last day, and counted from the year -400, so that nothing is negative.
#[inline(always)]
fn days(year: u32, month: u32, day: u32) -> i64 {
    let year = year + 400 - (month <= 2) as u32;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year;
    days as i64 - 719_468 - 146_097
}

/// The inverse of [`days`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (year + era * 400 + (month <= 2) as i64, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        let (time, flag) = parse(text.as_bytes())?;
        let mut out = Vec::new();
        time.write(&mut out);
        let out = String::from_utf8(out).unwrap();
        assert_eq!(flag, out == text, "{text}");
        Some(out)
    }

    #[test]
    fn accepted_times_are_written_in_utc_with_the_fewest_digits() {
        for (text, want) in [
            ("2026-02-14T00:00:01Z", "2026-02-14T00:00:01Z"),
            ("2026-02-14t00:00:01.25z", "2026-02-14T00:00:01.250Z"),
            ("2026-02-14T00:00:01.000Z", "2026-02-14T00:00:01Z"),
            ("2026-02-14T00:00:01.1234567Z", "2026-02-14T00:00:01.123456700Z"),
            ("2026-02-14T00:00:01.1234567899999Z", "2026-02-14T00:00:01.123456789Z"),
            ("2026-02-14T00:00:01.0000000009Z", "2026-02-14T00:00:01Z"),
            ("2026-02-14T00:30:00+01:00", "2026-02-13T23:30:00Z"),
            ("2026-02-14T00:30:00-00:00", "2026-02-14T00:30:00Z"),
            ("2024-02-29T23:59:60Z", "2024-02-29T23:59:59.999999999Z"),
            ("2024-02-29T23:59:60.5Z", "2024-02-29T23:59:59.999999999Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(want), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "2026-02-14",
            "2026-02-14T00:00Z",
            "2026-02-14 00:00:00Z",
            "2026-02-14T00:00:00",
            "2026-02-14T24:00:00Z",
            "2026-02-14T00:60:00Z",
            "2026-02-14T00:00:61Z",
            "2026-02-30T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-02-14T00:00:00.Z",
            "2026-02-14T00:00:00,5Z",
            "2026-02-14T00:00:00+0100",
            "2026-02-14T00:00:00+01",
            "2026-02-14T00:00:00+24:00",
            "2026-02-14T00:00:00+01:60",
            "2026-02-14T00:00:00Z ",
            "+2026-02-14T00:00:00Z",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "2026-2-4T0:0:1Z",
            "1771027200",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    #[test]
    fn dates_and_days_are_inverse_over_all_years() {
        let mut day = days(0, 1, 1);
        assert_eq!(day * DAY, FIRST);
        while day <= days(9999, 12, 31) {
            let (y, m, d) = date(day);
            let (y, m, d) = (y as u32, m as u32, d as u32);
            assert_eq!(days(y, m, d), day);
            assert!((1..=12).contains(&m) && d >= 1 && d <= month_days(y, m));
            day += 1;
        }
        assert_eq!(days(9999, 12, 31) * DAY + DAY - 1, LAST);
        assert_eq!(date(0), (1970, 1, 1));
    }
}
