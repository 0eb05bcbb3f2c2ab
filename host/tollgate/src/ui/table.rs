//! Tables: columns without lines around them, cut to the terminal, whole when piped.

use comfy_table::{ContentArrangement, Table as Grid, presets};

use super::text::clean;

/// Narrower than this a table is not squeezed: lines wrap instead.
const COLUMNS_MIN: u16 = 60;

/// A table of texts.
#[derive(Debug)]
pub(crate) struct Table {
    grid: Grid,
}

impl Table {
    /// A table with these headings; `columns` is the terminal's width, none when there is no terminal.
    pub(crate) fn new(columns: Option<u16>, headings: &[&str]) -> Self {
        let mut grid = Grid::new();
        grid.load_preset(presets::NOTHING).set_header(headings.iter().map(|heading| heading.to_uppercase()));
        if let Some(columns) = columns {
            grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns.max(COLUMNS_MIN));
        }
        Self { grid }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.grid.add_row(cells.into_iter().map(|cell| clean(&cell)));
    }

    /// The table as text.
    pub(crate) fn render(&mut self) -> String {
        for column in self.grid.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let lines = self.grid.lines().map(|line| line.trim_end().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_headings() {
        let mut table = Table::new(None, &["key", "title", "state"]);
        table.row(["LIB-1".into(), "お知らせ".into(), "done".into()]);
        table.row(["LIB-1000".into(), "a\u{1b}[2Jb".into(), "held".into()]);
        insta::assert_snapshot!(table.render(), @r"
        KEY       TITLE     STATE
        LIB-1     お知らせ  done
        LIB-1000  a�[2Jb    held
        ");
    }
}
