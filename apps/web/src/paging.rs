//! Long lists, a page at a time: `?page=2`, fifty rows each, for pages and the interface alike.

use serde::Serialize;

use crate::{ctx::Ctx, fault::Fault, fields::may, input::Field, input::Kind};

/// Rows of a page.
pub(crate) const ROWS: usize = 50;

/// The field of a list.
pub(crate) const PAGE: Field = may("page", "ページ（1から。1ページ50件）", Kind::Number);

/// Where in a list the page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Paging {
    /// From 1.
    pub(crate) page: usize,
    /// At least 1.
    pub(crate) pages: usize,
    /// Rows of the whole list.
    pub(crate) total: usize,
    /// Number of the first row on the page, from 1; 0 in an empty list.
    pub(crate) first: usize,
    /// Number of the last row on the page.
    pub(crate) last: usize,
}

impl Paging {
    fn of(page: usize, total: usize) -> Option<Self> {
        let pages = total.div_ceil(ROWS).max(1);
        if !(1..=pages).contains(&page) {
            return None;
        }
        let before = (page - 1) * ROWS;
        let last = total.min(before + ROWS);
        Some(Self { page, pages, total, first: if total == 0 { 0 } else { before + 1 }, last })
    }
}

/// The rows of the page that is asked for; the first if none is named.
///
/// # Errors
/// There is no such page.
pub(crate) fn paged<T>(ctx: &Ctx, rows: Vec<T>) -> Result<(Vec<T>, Paging), Fault> {
    let asked = ctx.input.text("page");
    let page = if asked.is_empty() { Some(1) } else { asked.parse().ok() };
    let paging = page.and_then(|p| Paging::of(p, rows.len())).ok_or_else(Fault::not_found)?;
    let rows = rows.into_iter().skip((paging.page - 1) * ROWS).take(ROWS).collect();
    Ok((rows, paging))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_the_list_once() {
        for total in [0, 1, 49, 50, 51, 100, 101] {
            let pages = Paging::of(1, total).unwrap().pages;
            let mut next = 1;
            for page in 1..=pages {
                let at = Paging::of(page, total).unwrap();
                assert!(total == 0 || at.first == next, "{at:?}");
                assert!(at.last + 1 - at.first.max(1) <= ROWS, "{at:?}");
                next = at.last + 1;
            }
            assert_eq!(next, total + 1);
            assert_eq!((Paging::of(0, total), Paging::of(pages + 1, total)), (None, None));
        }
    }
}
