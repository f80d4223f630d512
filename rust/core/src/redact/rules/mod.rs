//! The tables of rules, the most telling first: where two rules find the same bytes, the earlier one names them.

mod assigned_values;
mod cloud;
mod code_hosts;
mod generic;
mod saas;
mod structures;
mod urls;

use super::rule::Rule;

/// All rules. The position in this list is the rule's number within one run; nothing outside keeps it.
pub fn all() -> Vec<Rule> {
    let tables = [
        structures::rules(),
        cloud::rules(),
        code_hosts::rules(),
        saas::rules(),
        assigned_values::rules(),
        urls::rules(),
        generic::rules(),
    ];
    tables.into_iter().flatten().collect()
}
