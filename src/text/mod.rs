//! Words and pictures for people: colours, numbers, bars, sparklines, tables. Nothing here talks to anyone.

mod human;
mod paint;
mod plot;
mod table;

pub(crate) use human::{age, bytes, duration, grouped, number, plus_minus, short};
pub(crate) use paint::{Paint, state};
pub(crate) use plot::{bar, sparkline};
pub(crate) use table::Table;
