//! Ids cut short: 6 hexadecimal digits or more stand for the one id that begins with them.

use uuid::Uuid;

use crate::{Result, StoreError};

/// Least digits that are taken for the beginning of an id.
const LEAST: usize = 6;

/// The smallest and the largest id that begin with `prefix`; hyphens do not matter.
pub(crate) fn range(prefix: &str) -> Result<(Uuid, Uuid)> {
    let digits: String = prefix.chars().filter(|c| *c != '-').collect();
    let refused = || StoreError::NotAPrefix(prefix.chars().take(64).collect());
    if digits.len() < LEAST || digits.len() > 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(refused());
    }
    let parse = |fill: &str| {
        let text = format!("{digits}{}", fill.repeat(32 - digits.len()));
        u128::from_str_radix(&text, 16).map(Uuid::from_u128).map_err(|_| refused())
    };
    Ok((parse("0")?, parse("f")?))
}

/// The only one of `found`, which has at most two.
pub(crate) fn only<T: Copy>(prefix: &str, found: &[T]) -> Result<Option<T>> {
    match found {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(StoreError::Ambiguous(prefix.chars().take(64).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_spans_the_ids_that_begin_with_it() {
        let (least, most) = range("0190-aBcd").expect("a prefix");
        assert_eq!(least.to_string(), "0190abcd-0000-0000-0000-000000000000");
        assert_eq!(most.to_string(), "0190abcd-ffff-ffff-ffff-ffffffffffff");
        let id = Uuid::from_u128(7);
        assert_eq!(range(&id.to_string()).expect("a whole id"), (id, id));
    }

    #[test]
    fn five_digits_or_other_letters_are_no_prefix() {
        for text in ["", "01234", "0123-4", "zzzzzzz", &"0".repeat(33)] {
            assert!(matches!(range(text), Err(StoreError::NotAPrefix(_))), "{text}");
        }
    }
}
