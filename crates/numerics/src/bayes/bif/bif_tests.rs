use super::*;
use crate::bayes::{asia, sachs, survey};

const SMALL: &str = r#"// two variables
network "a b" { property version 1; }
variable rain {
  type discrete [ 2 ] { yes, no };
  property position = (1, 2) { anything };
}
variable "wet grass" { type discrete[3]{<5 5-12 "12, +"}; }
probability ( rain ) { table 0.25, 0.75; }
probability ( "wet grass" | rain ) {
  /* rows in
     any order */
  (no) 0.1 0.2 0.7;
  (yes) 0.5, 0.25, 2.5e-1;
}
"#;

fn wrong(text: &str) -> (usize, String) {
    let BifError { line, detail } = read_bif(text).expect_err("it is refused");
    (line, detail)
}

/// The small file with one text exchanged for another.
fn edited(from: &str, to: &str) -> (usize, String) {
    assert_eq!(SMALL.matches(from).count(), 1, "{from}");
    wrong(&SMALL.replace(from, to))
}

#[test]
fn names_values_rows_comments_and_properties_are_read() {
    let network = read_bif(SMALL).expect("a network");
    let [rain, grass] = network.variables() else { panic!("two variables") };
    assert_eq!((rain.name.as_str(), rain.table.as_slice()), ("rain", &[0.25, 0.75][..]));
    assert_eq!(grass.values, ["<5", "5-12", "12, +"]);
    assert_eq!(
        (grass.parents.as_slice(), grass.table.as_slice()),
        (&[0][..], &[0.5, 0.25, 0.25, 0.1, 0.2, 0.7][..])
    );
}

#[test]
fn a_written_network_is_read_bit_for_bit() {
    for network in [read_bif(SMALL).expect("a network"), asia(), survey(), sachs()] {
        let again = read_bif(&write_bif(&network)).expect("our own text");
        assert_eq!(network.variables(), again.variables());
    }
}

#[test]
fn tables_of_children_run_through_their_own_values_first_and_defaults_fill_rows() {
    let whole = "variable a { type discrete [2] {t, f}; } variable b { type discrete [2] {t, f}; }
        probability (a) { table 0.15 0.85; } probability (b | a) { table 0.6 0.05 0.4 0.95; }";
    assert_eq!(read_bif(whole).expect("a network").variables()[1].table, [0.6, 0.4, 0.05, 0.95]);
    let default = whole.replace("table 0.6 0.05 0.4 0.95", "(t) 0.6, 0.4; default 0.05, 0.95");
    assert_eq!(read_bif(&default).expect("a network").variables()[1].table, [0.6, 0.4, 0.05, 0.95]);
    let twice = whole.replace("table 0.6 0.05 0.4 0.95", "default 0.5 0.5; default 0.5 0.5");
    assert!(wrong(&twice).1.contains("two defaults"));
}

#[test]
fn every_breach_is_named_with_its_line() {
    let cases = [
        (edited("(no) 0.1 0.2 0.7;", "(no) 0.1 0.2 0.6;"), 12, "must sum to 1"),
        (edited("(no) 0.1 0.2 0.7;", "(no) 0.1 0.2;"), 12, "has 2 numbers; it must have 3"),
        (edited("(no) 0.1 0.2 0.7;", "(no) 0.1 0.2 1.7;"), 12, "`1.7`; it must be a number from 0 to 1"),
        (edited("(no) 0.1 0.2 0.7;", "(no) 0.1 0.2 NaN;"), 12, "`NaN`"),
        (edited("(no) 0.1 0.2 0.7;", "(maybe) 0.1 0.2 0.7;"), 12, "`maybe` is no value of `rain`"),
        (edited("(no) 0.1 0.2 0.7;", "(yes) 0.1 0.2 0.7;"), 13, "comes twice, first in line 12"),
        (edited("(no) 0.1 0.2 0.7;", ""), 9, "1 of 2 rows"),
        (edited("(no) 0.1 0.2 0.7;", "(no, yes) 0.1 0.2 0.7;"), 12, "names 2 values; there are 1 parents"),
        (edited("\"wet grass\" | rain", "\"wet grass\" | snow"), 9, "`snow` is no variable"),
        (edited("\"wet grass\" | rain", "wet | rain"), 9, "`wet` is no variable"),
        (
            edited("probability ( rain ) {", "probability ( rain | rain ) {"),
            8,
            "has 2 numbers; it must have 4",
        ),
        (edited("probability ( rain ) { table 0.25, 0.75; }", ""), 3, "`rain` has no table"),
        (edited("type discrete [ 2 ]", "type discrete [ 3 ]"), 4, "says 3 values; 2 are given"),
        (edited("type discrete [ 2 ] { yes, no };", ""), 3, "has no type"),
        (edited("{ yes, no }", "{ yes, yes }"), 4, "value `yes`"),
        (edited("variable \"wet grass\"", "variable rain"), 7, "comes twice, first in line 3"),
        (edited("/* rows in", "/ rows in"), 10, "stands where there must be"),
        (edited("any order */", "any order"), 10, "a comment is not closed"),
        (edited("network \"a b\"", "graph"), 2, "`network` (once), `variable` or `probability`"),
    ];
    for ((line, detail), expected, part) in cases {
        assert!(line == expected && detail.contains(part), "line {line}: {detail} (line {expected}: {part})");
    }
}

#[test]
fn cycles_and_huge_tables_are_refused_with_the_line_of_the_table() {
    let cycle = "variable a { type discrete [2] {t, f}; }\nvariable b { type discrete [2] {t, f}; }
probability (a | b) { default 0.5 0.5; }\nprobability (b | a) { default 0.5 0.5; }";
    let (line, detail) = wrong(cycle);
    assert!(line == 3 && detail.contains("a → b → a"), "{line}: {detail}");
    let many: String =
        (0..30).map(|i| format!("variable p{i} {{ type discrete [2] {{t, f}}; }}\n")).collect();
    let parents: Vec<String> = (1..30).map(|i| format!("p{i}")).collect();
    let huge = format!("{many}probability (p0 | {}) {{ default 0.5 0.5; }}", parents.join(", "));
    let (line, detail) = wrong(&huge);
    assert!(
        line == 31 && detail.contains("1073741824 numbers; it must have at most 1048576"),
        "{line}: {detail}"
    );
}

#[test]
fn a_file_cut_anywhere_or_with_a_byte_changed_gives_an_error_or_a_network_but_never_a_panic() {
    for end in (0..SMALL.len()).filter(|&end| SMALL.is_char_boundary(end)) {
        // Behind the last brace it is whole.
        assert!(read_bif(&SMALL[..end]).is_err() || end >= SMALL.trim_end().len(), "{end}");
    }
    for at in 0..SMALL.len() {
        for sign in ["{", "}", "(", ";", "\"", "|", "0", "/*", "é"] {
            let mut text = SMALL.to_owned();
            text.replace_range(at..at + 1, sign);
            let _ = read_bif(&text);
        }
    }
    assert!(read_bif("").is_err());
}
