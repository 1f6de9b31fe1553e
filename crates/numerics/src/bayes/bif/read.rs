//! From text to a network.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    BifError, LIMIT_BYTES,
    tables::{Declared, Entry, Table, fill},
    token::{Token, Tokens},
};
use crate::bayes::{Network, Variable};

/// A `probability` block as written.
struct Block {
    /// Line of its head.
    line: usize,
    variable: usize,
    parents: Vec<usize>,
    entries: Vec<Entry>,
}

/// Reads a network from BIF text.
///
/// # Errors
/// The first thing that is wrong, with its line: bad syntax, unknown or repeated names, a table that is missing or given
/// twice, rows that are missing, given twice, too long, too short or do not sum to 1 within 1e-5, cycles, tables of more
/// than 2²⁰ numbers.
pub fn read_bif(text: &str) -> Result<Network, BifError> {
    if text.len() > LIMIT_BYTES {
        return Err(BifError::new(
            1,
            format!("the file has {} bytes; it must have at most {LIMIT_BYTES}", text.len()),
        ));
    }
    let mut tokens = Tokens::new(text)?;
    let mut declared = Declared::default();
    let mut blocks = Vec::new();
    let mut headed = false;
    while let Some(token) = tokens.peek() {
        match token.text {
            "network" if !headed => {
                tokens.take("`network`")?;
                // The name may be left out.
                while !tokens.take_if("{")? {
                    tokens.word("`{`")?;
                }
                properties_to_end(&mut tokens)?;
                headed = true;
            }
            "variable" => variable(&mut tokens, &mut declared)?,
            "probability" => blocks.push(unresolved(&mut tokens)?),
            _ => return Err(token.wrong("`network` (once), `variable` or `probability`")),
        }
    }
    let blocks = resolve(blocks, &declared)?;
    assemble(declared, blocks, tokens.line())
}

fn properties_to_end(tokens: &mut Tokens<'_>) -> Result<(), BifError> {
    while !tokens.take_if("}")? {
        tokens.expect("property")?;
        tokens.skip_statement()?;
    }
    Ok(())
}

fn variable(tokens: &mut Tokens<'_>, declared: &mut Declared) -> Result<(), BifError> {
    tokens.expect("variable")?;
    let name = tokens.word("the name of a variable")?;
    tokens.expect("{")?;
    let mut values = None;
    while !tokens.take_if("}")? {
        if tokens.take_if("property")? {
            tokens.skip_statement()?;
            continue;
        }
        let line = tokens.line();
        tokens.expect("type")?;
        if values.replace(discrete(tokens)?).is_some() {
            return Err(BifError::new(
                line,
                format!("variable `{}` has two types; it must have one", name.shown()),
            ));
        }
    }
    let values = values.ok_or_else(|| {
        BifError::new(name.line, format!("variable `{}` has no type; it must have one", name.shown()))
    })?;
    declared.add(name, values)
}

/// `discrete [ n ] { a, b, … };`
fn discrete(tokens: &mut Tokens<'_>) -> Result<Vec<String>, BifError> {
    tokens.expect("discrete")?;
    tokens.expect("[")?;
    let count = tokens.word("the number of values")?;
    tokens.expect("]")?;
    tokens.expect("{")?;
    let words = list(tokens, "}", "a value")?;
    let mut known = BTreeSet::new();
    if let Some(twice) = words.iter().find(|word| !known.insert(word.text)) {
        return Err(BifError::new(
            twice.line,
            format!("value `{}` comes twice; it must come once", twice.shown()),
        ));
    }
    let values: Vec<String> = words.iter().map(|value| value.text.to_owned()).collect();
    tokens.expect(";")?;
    if count.text.parse() != Ok(values.len()) {
        let found = values.len();
        return Err(BifError::new(
            count.line,
            format!("the type says {} values; {found} are given", count.shown()),
        ));
    }
    Ok(values)
}

/// Words with commas between, up to and with `end`; a comma may be left out.
fn list<'a>(tokens: &mut Tokens<'a>, end: &str, what: &str) -> Result<Vec<Token<'a>>, BifError> {
    let mut words = Vec::new();
    while !tokens.take_if(end)? {
        words.push(tokens.word(what)?);
        tokens.take_if(",")?;
    }
    Ok(words)
}

/// A block with names that are not yet looked up: variables may be declared later.
struct Unresolved<'a> {
    variable: Token<'a>,
    parents: Vec<Token<'a>>,
    rows: Vec<(usize, Row<'a>, Vec<f64>)>,
}

enum Row<'a> {
    Values(Vec<Token<'a>>),
    Table,
    Default,
}

fn unresolved<'a>(tokens: &mut Tokens<'a>) -> Result<Unresolved<'a>, BifError> {
    tokens.expect("probability")?;
    tokens.expect("(")?;
    let variable = tokens.word("the name of a variable")?;
    // Some files write commas where others write a bar.
    let separated = tokens.take_if("|")? || tokens.take_if(",")?;
    let parents = if separated {
        list(tokens, ")", "the name of a parent")?
    } else {
        tokens.expect(")")?;
        Vec::new()
    };
    tokens.expect("{")?;
    let mut rows = Vec::new();
    while !tokens.take_if("}")? {
        let line = tokens.line();
        let row = if tokens.take_if("property")? {
            tokens.skip_statement()?;
            continue;
        } else if tokens.take_if("table")? {
            Row::Table
        } else if tokens.take_if("default")? {
            Row::Default
        } else {
            tokens.expect("(")?;
            Row::Values(list(tokens, ")", "a value of a parent")?)
        };
        let numbers = list(tokens, ";", "a probability")?.iter().map(number).collect::<Result<_, _>>()?;
        rows.push((line, row, numbers));
    }
    Ok(Unresolved { variable, parents, rows })
}

fn number(token: &Token<'_>) -> Result<f64, BifError> {
    let number: Option<f64> = token.text.parse().ok();
    let is_probability = |p: &f64| p.is_finite() && (0.0..=1.0).contains(p);
    number.filter(is_probability).ok_or_else(|| {
        BifError::new(
            token.line,
            format!("a probability is `{}`; it must be a number from 0 to 1", token.shown()),
        )
    })
}

fn resolve(blocks: Vec<Unresolved<'_>>, declared: &Declared) -> Result<Vec<Block>, BifError> {
    let mut lines = BTreeMap::new();
    let mut resolved = Vec::with_capacity(blocks.len());
    for Unresolved { variable: name, parents: names, rows } in blocks {
        let variable = declared.find(&name)?;
        if let Some(before) = lines.insert(variable, name.line) {
            let detail = format!(
                "the table of `{}` comes twice, first in line {before}; it must come once",
                name.shown()
            );
            return Err(BifError::new(name.line, detail));
        }
        let mut parents = Vec::with_capacity(names.len());
        for parent in &names {
            parents.push(declared.find(parent)?);
        }
        let mut entries = Vec::with_capacity(rows.len());
        for (line, row, numbers) in rows {
            let table = match row {
                Row::Table => Table::Whole,
                Row::Default => Table::Default,
                Row::Values(values) => Table::Row(declared.row(line, &parents, &values)?),
            };
            entries.push(Entry { line, table, numbers });
        }
        resolved.push(Block { line: name.line, variable, parents, entries });
    }
    Ok(resolved)
}

fn assemble(declared: Declared, blocks: Vec<Block>, end: usize) -> Result<Network, BifError> {
    let n = declared.variables.len();
    let mut tables: Vec<Option<Block>> = (0..n).map(|_| None).collect();
    for block in blocks {
        let at = block.variable;
        tables[at] = Some(block);
    }
    let mut variables = Vec::with_capacity(n);
    let mut rows = Vec::with_capacity(n);
    for (at, block) in tables.into_iter().enumerate() {
        let (name, values, line) = &declared.variables[at];
        let missing = || BifError::new(*line, format!("variable `{name}` has no table; it must have one"));
        let block = block.ok_or_else(missing)?;
        let counts: Vec<usize> =
            block.parents.iter().map(|&parent| declared.variables[parent].1.len()).collect();
        let (table, lines) = fill((block.line, name, values.len()), &counts, block.entries)?;
        variables.push(Variable {
            name: name.clone(),
            values: values.clone(),
            parents: block.parents,
            table,
        });
        rows.push((block.line, lines));
    }
    Network::new(variables).map_err(|error| {
        let line = error.variable.map_or(end, |at| {
            let (head, lines) = &rows[at];
            error.row.and_then(|row| lines.get(row).copied()).unwrap_or(*head)
        });
        BifError::new(line, error.detail)
    })
}
