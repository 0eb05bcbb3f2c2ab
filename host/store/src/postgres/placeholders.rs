//! Names of parameters, which PostgreSQL knows by number alone.

/// A query in the words of PostgreSQL: `$1` stands for the first of `names`, and so on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    pub(super) text: String,
    /// With their colons, as callers write them.
    pub(super) names: Vec<String>,
}

impl Numbered {
    /// Numbers the names in the order in which they first come. What stands in quotes or a comment is left alone, and so is a cast
    /// (`::`).
    pub(super) fn of(query: &str) -> Self {
        let mut numbered = Self { text: String::with_capacity(query.len()), names: Vec::new() };
        let mut rest = query;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '\'' | '"' => quoted(rest, first),
                '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
                ':' if rest.starts_with("::") => 2,
                ':' => {
                    let length = name(rest);
                    if length > 1 {
                        numbered.push_name(&rest[..length]);
                        rest = &rest[length..];
                        continue;
                    }
                    length
                }
                other => other.len_utf8(),
            };
            numbered.text.push_str(&rest[..length]);
            rest = &rest[length..];
        }
        numbered
    }

    fn push_name(&mut self, name: &str) {
        let known = self.names.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        self.text.push('$');
        self.text.push_str(&(index + 1).to_string());
    }
}

/// The bytes of what begins with a quote, up to the next; a doubled quote is two that touch.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

/// The bytes of a name with its colon.
fn name(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text[1..].find(|c: char| !is_part(c)).map_or(text.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, text: &str, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(Numbered::of(query), Numbered { text: text.into(), names });
    }

    #[test]
    fn names_become_numbers() {
        check("COUNT(1)", "COUNT(1)", &[]);
        check("a = :a AND b = :b_2 OR a > :a", "a = $1 AND b = $2 OR a > $1", &[":a", ":b_2"]);
        check("(:a,:b)", "($1,$2)", &[":a", ":b"]);
    }

    #[test]
    fn what_only_looks_like_a_name_is_left_alone() {
        check("x::text = :x", "x::text = $1", &[":x"]);
        check("':no' || 'it''s :no' || \":no\" || :yes", "':no' || 'it''s :no' || \":no\" || $1", &[":yes"]);
        check("-- :no, it's\n:yes", "-- :no, it's\n$1", &[":yes"]);
        check("a : b", "a : b", &[]);
    }
}
