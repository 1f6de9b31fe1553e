//! Numbers, times and ids as people read them.

use jiff::Timestamp;

/// A number with four digits that count.
pub(crate) fn number(x: f64) -> String {
    match x.abs() {
        _ if x.is_nan() => "nan".into(),
        _ if x.is_infinite() => if x > 0.0 { "inf" } else { "-inf" }.into(),
        0.0 => "0".into(),
        size if (1e-3..1e6).contains(&size) => {
            let digits = 3 - size.log10().floor() as i32;
            // Zeros at the end stay, so that columns line up; whole numbers need none.
            let digits = if x.fract() == 0.0 { 0 } else { digits.clamp(0, 6) };
            format!("{x:.*}", digits as usize)
        }
        _ => format!("{x:.2e}"),
    }
}

/// `0.0536 ± 0.0008`: a spread with two digits that count, and its centre to the same place.
pub(crate) fn plus_minus(centre: f64, spread: f64) -> String {
    if !(1e-6..1e6).contains(&spread) || !centre.is_finite() {
        return format!("{} ± {}", number(centre), number(spread));
    }
    let digits = (1 - spread.log10().floor() as i32).clamp(0, 7) as usize;
    format!("{centre:.digits$} ± {spread:.digits$}")
}

/// `12,345`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `850 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        _ if seconds < 0.9995 => format!("{:.0} ms", seconds.max(0.0) * 1e3),
        _ if seconds < 9.95 && seconds.fract() != 0.0 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole / 60 % 60),
        _ => format!("{} d {} h", whole / 86_400, whole / 3600 % 24),
    }
}

/// `3.1 GiB`.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = (0..UNITS.len() - 1).find(|&unit| n >> (10 * unit) < 1024).unwrap_or(UNITS.len() - 1);
    match unit {
        0 => format!("{n} B"),
        _ => format!("{:.1} {}", n as f64 / 1024_f64.powi(unit as i32), UNITS[unit]),
    }
}

/// Time from the RFC 3339 text `then` to `now`; the text itself if it is none.
pub(crate) fn age(now: Timestamp, then: &str) -> String {
    match then.parse::<Timestamp>() {
        Ok(then) => duration(now.duration_since(then).as_secs_f64().round().max(1.0)),
        Err(_) => then.to_owned(),
    }
}

/// The first characters of an id, enough to tell jobs of different moments apart.
pub(crate) fn short(id: &str) -> &str {
    id.get(..13).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_four_digits_that_count() {
        let cases = [
            (0.0, "0"),
            (0.123456, "0.1235"),
            (-12.3456, "-12.35"),
            (1234.56, "1235"),
            (0.5, "0.5000"),
            (0.0012345, "0.001234"),
            (1.5e-7, "1.50e-7"),
            (123456.0, "123456"),
            (120.0, "120"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (x, text) in cases {
            assert_eq!(number(x), text);
        }
        assert_eq!(number(f64::NAN), "nan");
    }

    #[test]
    fn a_spread_says_how_many_digits_its_centre_has() {
        assert_eq!(plus_minus(0.053_64, 0.000_81), "0.05364 ± 0.00081");
        assert_eq!(plus_minus(-62.123, 1.26), "-62.1 ± 1.3");
        assert_eq!(plus_minus(1234.5, 123.0), "1234 ± 123");
        assert_eq!(plus_minus(0.5, 0.0), "0.5000 ± 0");
        assert_eq!(plus_minus(f64::NAN, 1.0), "nan ± 1");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn durations_use_the_units_a_person_would() {
        let cases = [
            (0.85, "850 ms"),
            (4.2, "4.2 s"),
            (4.0, "4 s"),
            (59.0, "59 s"),
            (200.0, "3 min 20 s"),
            (7500.0, "2 h 5 min"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn sizes_use_binary_units() {
        assert_eq!([0, 1023, 1024, 3 << 30].map(bytes), ["0 B", "1023 B", "1.0 KiB", "3.0 GiB"]);
    }

    #[test]
    fn ages_count_from_now() {
        let now = "2026-01-01T00:02:00Z".parse().expect("a time");
        assert_eq!(age(now, "2026-01-01T00:00:00.000Z"), "2 min 0 s");
        assert_eq!(age(now, "yesterday"), "yesterday");
    }
}
