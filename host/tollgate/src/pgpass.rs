//! Passwords of databases, as PostgreSQL's own programs find them: `PGPASSWORD`, then the file that `PGPASSFILE` names, then
//! `~/.pgpass`.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use tollgate_policy::PostgresAddress;

use crate::env;

/// The password for a database; none where nobody says one.
pub(crate) fn password(address: &PostgresAddress) -> Option<String> {
    if let Some(password) = env::variable("PGPASSWORD") {
        return Some(password);
    }
    let of_user = || Some(directories::BaseDirs::new()?.home_dir().join(".pgpass"));
    let file = env::variable("PGPASSFILE").map(Into::into).or_else(of_user)?;
    in_file(&read_own(&file)?, address)
}

/// A file that nobody else can read; others are passed over, as PostgreSQL does.
fn read_own(path: &Path) -> Option<String> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others may read this file, so it is not used; `chmod 0600` mends that");
        return None;
    }
    fs::read_to_string(path).ok()
}

/// The first line that fits: `server:port:database:user:password`, each of the first four perhaps a star.
fn in_file(text: &str, address: &PostgresAddress) -> Option<String> {
    let wanted =
        [address.host(), address.port().to_string(), address.database(), address.user().unwrap_or_default()];
    let fits =
        |fields: &[String]| fields.iter().zip(&wanted).all(|(field, wanted)| field == "*" || field == wanted);
    let lines = text.lines().filter(|line| !line.starts_with('#')).map(fields);
    let mut found = lines.filter(|fields| fields.len() == wanted.len() + 1 && fits(&fields[..wanted.len()]));
    found.next()?.pop()
}

/// The parts between colons; a backslash takes the next character for itself.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let last = fields.len() - 1;
        match character {
            // The password is the rest of the line.
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields[last].extend(characters.next()),
            other => fields[last].push(other),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use tollgate_policy::{ConfigFile, Policy, StoreAddress};

    use super::*;

    fn address(url: &str) -> PostgresAddress {
        let project = format!(
            "[instance]\nstore = \"{url}\"\n[backlog.b]\nowner = \"o\"\npipeline = \"p\"\neligible = 'true'\n\
             priority = '0'\n[[backlog.b.source]]\nfolder = \"f\"\n"
        );
        let pipeline = "owner = \"o\"\n[[stage]]\nname = \"s\"\nplugin = \"s\"\n";
        let file = |path: &str, text: &str| ConfigFile { path: path.into(), text: text.into() };
        let files = vec![file("tollgate.toml", &project), file("pipelines/p.toml", pipeline)];
        match Policy::from_files(files).unwrap().instance.store {
            StoreAddress::Postgres(address) => address,
            StoreAddress::Sqlite(path) => panic!("{path}"),
        }
    }

    #[track_caller]
    fn check(line: &str, url: &str, password: Option<&str>) {
        assert_eq!(in_file(line, &address(url)).as_deref(), password, "{line}");
    }

    #[test]
    fn the_first_line_that_fits_says_it() {
        let url = "postgres://ines@db.example.com/back";
        check("db.example.com:5432:back:ines:s3cr:t", url, Some("s3cr:t"));
        check("# all\n*:*:*:ines:first\n*:*:*:*:second", url, Some("first"));
        check("*:*:*:ines:with\\\\and\\:colon", url, Some("with\\and:colon"));
        check("[db:5433:*:*:no", url, None);
        check("*:5433:*:*:other port\n*:*:*:max:other user\n*:*:*", url, None);
    }

    #[test]
    fn a_file_that_others_may_read_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgpass");
        fs::write(&file, "x").unwrap();
        for (mode, used) in [(0o600, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_own(&file).is_some(), used, "{mode:o}");
        }
        assert_eq!(read_own(&folder.path().join("none")), None);
    }
}
