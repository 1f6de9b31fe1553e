//! Words and signs of a file, with their lines.

use super::BifError;

/// A word or a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) line: usize,
    pub(super) text: &'a str,
    /// Whether it was in quotes, and so is a word whatever it says.
    pub(super) quoted: bool,
}

/// Signs that stand for themselves.
const SIGNS: &str = "{}()[],;|";
/// Longest text shown in an error.
const SHOWN: usize = 40;

/// Hands out tokens, one ahead.
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    next: Option<Token<'a>>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, BifError> {
        let mut tokens = Self { text, at: 0, line: 1, next: None };
        tokens.next = tokens.read()?;
        Ok(tokens)
    }

    pub(super) fn peek(&self) -> Option<Token<'a>> {
        self.next
    }

    /// Line of the next token, or of the end.
    pub(super) fn line(&self) -> usize {
        self.next.map_or(self.line, |token| token.line)
    }

    /// Takes the next token, whatever it is; `what` says what is missing at the end of the file.
    pub(super) fn take(&mut self, what: &str) -> Result<Token<'a>, BifError> {
        let token = self
            .next
            .ok_or_else(|| BifError::new(self.line, format!("the file ends; there must be {what}")))?;
        self.next = self.read()?;
        Ok(token)
    }

    /// Takes a word: a name or a number.
    pub(super) fn word(&mut self, what: &str) -> Result<Token<'a>, BifError> {
        let token = self.take(what)?;
        if token.is_sign() { Err(token.wrong(what)) } else { Ok(token) }
    }

    /// Takes this sign or keyword.
    pub(super) fn expect(&mut self, text: &str) -> Result<Token<'a>, BifError> {
        let token = self.take(&format!("`{text}`"))?;
        if token.is(text) { Ok(token) } else { Err(token.wrong(&format!("`{text}`"))) }
    }

    /// Takes this sign or keyword if it comes next.
    pub(super) fn take_if(&mut self, text: &str) -> Result<bool, BifError> {
        let is_next = self.next.is_some_and(|token| token.is(text));
        if is_next {
            self.next = self.read()?;
        }
        Ok(is_next)
    }

    /// Passes over everything up to and with the next `;`: a property may hold anything.
    pub(super) fn skip_statement(&mut self) -> Result<(), BifError> {
        while !self.take("`;`")?.is(";") {}
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Token<'a>>, BifError> {
        self.skip_blank()?;
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let line = self.line;
        if first == '"' {
            let inside = &rest[1..];
            let end = inside.find('"').ok_or_else(|| BifError::new(line, "a quote is not closed"))?;
            let text = &inside[..end];
            self.line += text.matches('\n').count();
            self.at += end + 2;
            return Ok(Some(Token { line, text, quoted: true }));
        }
        let length = if SIGNS.contains(first) {
            1
        } else {
            rest.find(|c: char| c.is_whitespace() || c == '"' || SIGNS.contains(c)).unwrap_or(rest.len())
        };
        self.at += length;
        Ok(Some(Token { line, text: &rest[..length], quoted: false }))
    }

    /// White space and comments.
    fn skip_blank(&mut self) -> Result<(), BifError> {
        loop {
            let rest = &self.text[self.at..];
            let length = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                let end =
                    rest.find("*/").ok_or_else(|| BifError::new(self.line, "a comment is not closed"))?;
                end + 2
            } else {
                rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())
            };
            if length == 0 {
                return Ok(());
            }
            self.line += rest[..length].matches('\n').count();
            self.at += length;
        }
    }
}

impl Token<'_> {
    pub(super) fn is(&self, text: &str) -> bool {
        !self.quoted && self.text == text
    }

    fn is_sign(&self) -> bool {
        !self.quoted && self.text.len() == 1 && SIGNS.contains(self.text)
    }

    pub(super) fn wrong(&self, what: &str) -> BifError {
        BifError::new(self.line, format!("`{}` stands where there must be {what}", self.shown()))
    }

    /// The text, cut to a length that a message can hold.
    pub(super) fn shown(&self) -> String {
        if self.text.chars().count() <= SHOWN {
            self.text.to_owned()
        } else {
            self.text.chars().take(SHOWN - 1).chain(['…']).collect()
        }
    }
}
