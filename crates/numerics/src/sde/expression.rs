//! A density that is written down as an expression.

use exmex::{BinOp, Differentiate, Express, FlatEx, MakeOperators, Operator};

use super::Target;

/// The arithmetic of expressions. The functions are those of `libm`, the same bits everywhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Arithmetic;

impl MakeOperators<f64> for Arithmetic {
    fn make<'a>() -> Vec<Operator<'a, f64>> {
        let binary = |apply, prio, is_commutative| BinOp { apply, prio, is_commutative };
        vec![
            Operator::make_bin("^", binary(libm::pow, 4, false)),
            Operator::make_bin("*", binary(|a, b| a * b, 2, true)),
            Operator::make_bin("/", binary(|a, b| a / b, 3, false)),
            Operator::make_bin_unary("+", binary(|a, b| a + b, 0, true), |a| a),
            Operator::make_bin_unary("-", binary(|a, b| a - b, 1, false), |a: f64| -a),
            Operator::make_unary("exp", libm::exp),
            Operator::make_unary("ln", libm::log),
            Operator::make_unary("log", libm::log),
            Operator::make_unary("sqrt", libm::sqrt),
            Operator::make_unary("sin", libm::sin),
            Operator::make_unary("cos", libm::cos),
            Operator::make_unary("sinh", libm::sinh),
            Operator::make_unary("cosh", libm::cosh),
            Operator::make_unary("tanh", libm::tanh),
            Operator::make_unary("atan", libm::atan),
        ]
    }
}

type Formula = FlatEx<f64, Arithmetic>;

/// Longest expression, in bytes.
const LONGEST: usize = 1000;

/// log p* as an expression, with the exact derivatives that follow from it.
///
/// Variables are `x`, or `x`, `y`, and so on in the order of the alphabet; operators `+ - * / ^`, functions exp, ln, sqrt,
/// sin, cos, sinh, cosh, tanh, atan.
#[derive(Debug, Clone)]
pub struct Expression {
    log_density: Formula,
    gradient: Vec<Formula>,
}

/// An expression that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It is too long to be read.
    #[error("it has {0} bytes; at most {LONGEST}")]
    Long(usize),
    /// It is not an expression.
    #[error("it cannot be read: {0}")]
    Syntax(String),
    /// Its variables are not those of the target.
    #[error("its variables are {found:?}; they must be among {expected:?}")]
    Variables {
        /// Those that it has.
        found: Vec<String>,
        /// Those that it may have.
        expected: Vec<String>,
    },
}

impl Expression {
    /// Reads log p*; every one of `variables` must occur, and no other.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str, variables: &[&str]) -> Result<Self, ExpressionError> {
        if text.len() > LONGEST {
            return Err(ExpressionError::Long(text.len()));
        }
        let syntax = |error: exmex::ExError| ExpressionError::Syntax(error.to_string());
        let log_density = Formula::parse(&with_plain_signs(text)?).map_err(syntax)?;
        let found = log_density.var_names().to_vec();
        if found.iter().ne(variables) {
            let expected = variables.iter().map(|&name| name.to_owned()).collect();
            return Err(ExpressionError::Variables { found, expected });
        }
        let gradient = (0..variables.len()).map(|i| log_density.clone().partial(i)).collect::<Result<_, _>>();
        Ok(Self { log_density, gradient: gradient.map_err(syntax)? })
    }
}

/// A sign at the start or after a bracket becomes a difference from 0: the parser would take `-x^2` as `(-x)^2`.
fn with_plain_signs(text: &str) -> Result<String, ExpressionError> {
    let (mut plain, mut before) = (String::with_capacity(text.len() + 8), '(');
    for c in text.chars() {
        if c == '-' || c == '+' {
            if before == '(' {
                plain.push('0');
            } else if "+-*/^".contains(before) {
                let rule = "a sign follows an operator; put it into brackets";
                return Err(ExpressionError::Syntax(rule.to_owned()));
            }
        }
        if !c.is_whitespace() {
            before = c;
        }
        plain.push(c);
    }
    Ok(plain)
}

/// The value; NaN where it has none.
fn value(formula: &Formula, x: &[f64]) -> f64 {
    // A derivative may have lost variables that the density has.
    formula.eval_relaxed(x).unwrap_or(f64::NAN)
}

impl Target for Expression {
    fn dimensions(&self) -> usize {
        self.gradient.len()
    }

    fn log_density(&self, x: &[f64]) -> f64 {
        value(&self.log_density, x)
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        out.iter_mut().zip(&self.gradient).for_each(|(out, formula)| *out = value(formula, x));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derivatives_of_an_expression_are_those_worked_by_hand() {
        let banana = Expression::new("-x^2/2 - 2*(y - x^2)^2 + exp(-x)*sin(y)", &["x", "y"]).expect("valid");
        let (x, y) = (0.7, -0.3);
        let mut gradient = [0.0; 2];
        banana.gradient(&[x, y], &mut gradient);
        let (e, s, c) = (libm::exp(-x), libm::sin(y), libm::cos(y));
        let expected = [-x + 8.0 * x * (y - x * x) - e * s, -4.0 * (y - x * x) + e * c];
        for (found, expected) in gradient.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-13, "{found} against {expected}");
        }
        let density = -x * x / 2.0 - 2.0 * (y - x * x) * (y - x * x) + e * s;
        assert!((banana.log_density(&[x, y]) - density).abs() < 1e-14);
    }

    #[test]
    fn a_sign_binds_less_than_a_power() {
        for text in ["-x^2", "0 - x^2", "(-x^2)", "-(x^2)"] {
            let square = Expression::new(text, &["x"]).expect("valid");
            assert_eq!(square.log_density(&[3.0]), -9.0, "{text}");
        }
        assert!(matches!(Expression::new("x*-x", &["x"]), Err(ExpressionError::Syntax(_))));
    }

    #[test]
    fn what_is_no_density_of_these_variables_is_refused() {
        assert!(matches!(Expression::new("-x^", &["x"]), Err(ExpressionError::Syntax(_))));
        assert!(matches!(Expression::new("-z^2", &["x"]), Err(ExpressionError::Variables { .. })));
        assert!(matches!(Expression::new("-x^2", &["x", "y"]), Err(ExpressionError::Variables { .. })));
        assert!(matches!(Expression::new(&"x+".repeat(600), &["x"]), Err(ExpressionError::Long(1200))));
    }
}
