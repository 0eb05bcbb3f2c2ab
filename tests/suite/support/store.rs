//! Where a project of a test keeps its state.

use super::{Project, postgres};

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

impl Project {
    /// The project with its state in a store of this kind, of its own.
    pub(crate) fn on(self, store: Store) -> Self {
        if store == Store::Postgres {
            self.store_at(&postgres::new_database());
        }
        self
    }

    /// The address of its store, in the words of its policy.
    pub(crate) fn store(&self) -> String {
        let text = self.read("tollgate.toml");
        let address = text.lines().find_map(|line| line.strip_prefix("store = "));
        address.expect("it was said").trim_matches('"').to_owned()
    }

    /// From here on the project's state is at this address.
    pub(crate) fn store_at(&self, address: &str) {
        let text = self.read("tollgate.toml");
        let setting = format!("[instance]\nstore = \"{address}\"");
        let text: String = text.split_inclusive('\n').filter(|line| !line.starts_with("store = ")).collect();
        let changed = match text.contains("[instance]") {
            true => text.replacen("[instance]", &setting, 1),
            false => format!("{setting}\n\n{text}"),
        };
        self.write("tollgate.toml", &changed);
    }
}

/// Makes two tests of each function that takes a [`Store`].
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[test]
                fn $name() {
                    super::$name($crate::support::Store::Sqlite);
                }
            )*
        }

        mod on_postgres {
            $(
                #[test]
                fn $name() {
                    super::$name($crate::support::Store::Postgres);
                }
            )*
        }
    };
}
pub(crate) use on_both;
