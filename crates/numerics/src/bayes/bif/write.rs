//! From a network to text.

use std::fmt::Write as _;

use crate::bayes::Network;

/// Writes a network as BIF; [`super::read_bif`] reads the same network, bit for bit.
pub fn write_bif(network: &Network) -> String {
    let mut out = String::from("network unknown {\n}\n");
    for variable in network.variables() {
        let values: Vec<String> = variable.values.iter().map(|value| word(value)).collect();
        let (name, n) = (word(&variable.name), values.len());
        push(
            &mut out,
            format_args!("variable {name} {{\n  type discrete [ {n} ] {{ {} }};\n}}\n", values.join(", ")),
        );
    }
    for variable in network.variables() {
        let parents: Vec<String> =
            variable.parents.iter().map(|&parent| word(&network.variables()[parent].name)).collect();
        let bar = if parents.is_empty() { String::new() } else { format!(" | {}", parents.join(", ")) };
        push(&mut out, format_args!("probability ( {}{bar} ) {{\n", word(&variable.name)));
        for (row, p) in variable.table.chunks_exact(variable.values.len()).enumerate() {
            let head = if parents.is_empty() {
                "table".to_owned()
            } else {
                format!("({})", values_of(network, &variable.parents, row))
            };
            let p: Vec<String> = p.iter().map(f64::to_string).collect();
            push(&mut out, format_args!("  {head} {};\n", p.join(", ")));
        }
        out.push_str("}\n");
    }
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes everything");
}

/// Values of the parents in a row.
fn values_of(network: &Network, parents: &[usize], mut row: usize) -> String {
    let mut values = Vec::with_capacity(parents.len());
    for &parent in parents.iter().rev() {
        let known = &network.variables()[parent].values;
        values.push(word(&known[row % known.len()]));
        row /= known.len();
    }
    values.reverse();
    values.join(", ")
}

/// Quoted where it could be read as something else.
fn word(text: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !"{}()[],;|\"".contains(c);
    let keyword = ["table", "default", "property", "type"].contains(&text);
    if !text.is_empty()
        && text.chars().all(plain)
        && !text.starts_with("//")
        && !text.starts_with("/*")
        && !keyword
    {
        text.to_owned()
    } else {
        format!("\"{text}\"")
    }
}
